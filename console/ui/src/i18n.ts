// All words of the page. A test holds that both catalogues have the same keys; TypeScript holds that every key exists.
import { useEffect, useState } from 'preact/hooks'

const en = {
  map: 'Map', services: 'Services', traces: 'Traces', logs: 'Logs', metrics: 'Metrics', objectives: 'Objectives', alerts: 'Alerts', stack: 'Stack',
  reliability: 'Reliability', more: 'More',
  live: 'live', lost: 'no connection', lostHelp: 'The console’s server does not answer. The page comes back by itself.',
  last: 'Last', range: 'Time range', fixedRange: 'fixed range', backToNow: 'back to now',
  scale: 'scale', scaleHelp: 'Windows of objectives run this many times faster than real',
  theme: 'Light or dark', language: 'Language',
  requestsNow: 'Requests, now', requestsNowHelp: 'rate · errors · p95, of the last 15 s',
  errors: 'Errors', errorsHelp: 'share of requests that fail', p95: 'p95 duration', p95Help: 'one request in twenty takes longer', burn: 'Budget burn', burnHelp: 'times too fast',
  requests: 'Requests', budgets: 'Error budgets', faultsInForce: 'Faults in force', faultsHelp: 'asked from the services, not remembered', noFaults: 'Nothing is broken on purpose',
  faultsUnknown: 'Nobody can be asked about faults', endsIn: 'ends in', firing: 'firing', pending: 'pending', inhibited: 'inhibited', silenced: 'silenced', noAlerts: 'No alert is pending or firing',
  tryNext: 'Try next', load: 'Load', noLoad: 'No load test runs', background: 'background', loadTier: 'load test', drill: 'drill',
  noTraffic: 'no traffic', down: 'down', notScraped: 'not scraped', asCallersSee: 'as its callers see it', fault: 'fault',
  loading: 'Loading…', noData: 'No data', noDataHelp: 'There is nothing in this time range. Choose a longer one, or send some requests.',
  noBackend: 'There is none', noBackendHelp: 'The console was started without a URL of this backend.',
  failed: 'This could not be asked', retry: 'It is asked again by itself.',
  query: 'Query', showQuery: 'show me the query', showCommand: 'show me the command', copy: 'copy', copied: 'copied',
  search: 'Search', service: 'Service', anyService: 'any service', route: 'Route', status: 'Status', anyStatus: 'any status', failedOnly: 'failed', slowerThan: 'Slower than', limit: 'At most',
  traceql: 'TraceQL', logql: 'LogQL', promql: 'PromQL', level: 'Level', anyLevel: 'any level', contains: 'Contains', run: 'Run',
  time: 'Time', duration: 'Duration', spans: 'Spans', root: 'Root', name: 'Name', value: 'Value', labels: 'Labels', severity: 'Severity', state: 'State', since: 'Since', about: 'About',
  trace: 'Trace', criticalPath: 'critical path', whereTime: 'Where the time went', attributes: 'Attributes', events: 'Events', logLines: 'Log lines of this trace', openTrace: 'open the trace', noSpan: 'Choose a span to see its attributes.',
  traceNotFound: 'No such trace', traceNotFoundHelp: 'Tempo may not have it yet, or no longer: it keeps traces for a limited time.',
  volume: 'Lines by level', newest: 'newest first', tail: 'follow', context: 'lines around this one', lines: 'lines',
  table: 'Table', graph: 'Graph', meaning: 'Meaning', unit: 'Unit',
  objective: 'Objective', left: 'Budget left', burnRate: 'Burn rate', spentIn: 'Spent in', never: 'never', budgetOver: 'Budget left over the period', burnBy: 'Burn rate by window', pagesAt: 'pages at', ticketAt: 'ticket at', rules: 'What the rules do', runbook: 'Runbook', noRunbook: 'There is no runbook of this name.',
  whatIf: 'What if', errorRatio: 'Error ratio', lasts: 'It lasts', pagesAfter: 'Pages after', resolvesAfter: 'Resolves after', costs: 'Costs of the budget',
  neverFires: 'never', component: 'Component', up: 'up', memory: 'Memory', cpu: 'CPU', version: 'Version', target: 'Target', lastScrape: 'Last scrape', scrapeTook: 'Took', lostTelemetry: 'Telemetry that was lost', nothingLost: 'Nothing was lost',
  dependencies: 'Calls', lastErrors: 'Last errors', runtime: 'Runtime', openIn: 'open in Grafana', slowest: 'Slowest requests', bySpan: 'by span', compare: 'Compare', exemplars: 'Dots are single requests; a click opens the trace.',
  databases: 'databases', all: 'all', service_: 'service', database: 'database', messages: 'messages', outside: 'outside', instance: 'Instance',
  tryFault: 'Run a drill and watch the failure spread:', tryTrace: 'Open a slow trace: where does the time go?', tryBudget: 'Look at the objective with the least budget left.', tryLoad: 'Send twice the load:',
} as const

export type Key = keyof typeof en

const zh: Record<Key, string> = {
  map: '拓扑', services: '服务', traces: '链路', logs: '日志', metrics: '指标', objectives: '目标', alerts: '告警', stack: '组件',
  reliability: '可靠性', more: '更多',
  live: '实时', lost: '连接中断', lostHelp: '控制台服务没有响应，恢复后页面会自动刷新。',
  last: '最近', range: '时间范围', fixedRange: '固定范围', backToNow: '回到现在',
  scale: '时间倍率', scaleHelp: '目标的时间窗口以这个倍数快于真实时间',
  theme: '浅色或深色', language: '语言',
  requestsNow: '当前请求', requestsNowHelp: '最近 15 秒的速率 · 错误率 · p95',
  errors: '错误率', errorsHelp: '失败请求的比例', p95: 'p95 耗时', p95Help: '每二十个请求中有一个更慢', burn: '预算消耗速度', burnHelp: '超出允许速度的倍数',
  requests: '请求', budgets: '错误预算', faultsInForce: '正在生效的故障', faultsHelp: '向服务实时查询，而非凭记录', noFaults: '没有人为注入的故障',
  faultsUnknown: '无法查询故障', endsIn: '剩余', firing: '触发中', pending: '待定', inhibited: '被抑制', silenced: '已静默', noAlerts: '没有待定或触发的告警',
  tryNext: '接下来试试', load: '负载', noLoad: '没有正在运行的负载测试', background: '背景', loadTier: '负载测试', drill: '演练',
  noTraffic: '没有流量', down: '停止', notScraped: '未被采集', asCallersSee: '由调用方观测', fault: '故障',
  loading: '加载中…', noData: '没有数据', noDataHelp: '该时间范围内没有数据。请选择更长的范围，或发送一些请求。',
  noBackend: '未配置', noBackendHelp: '控制台启动时没有提供该后端的地址。',
  failed: '查询失败', retry: '会自动重试。',
  query: '查询', showQuery: '查看查询语句', showCommand: '查看命令', copy: '复制', copied: '已复制',
  search: '搜索', service: '服务', anyService: '任意服务', route: '路由', status: '状态', anyStatus: '任意状态', failedOnly: '失败', slowerThan: '慢于', limit: '最多',
  traceql: 'TraceQL', logql: 'LogQL', promql: 'PromQL', level: '级别', anyLevel: '任意级别', contains: '包含', run: '执行',
  time: '时间', duration: '耗时', spans: 'Span 数', root: '根', name: '名称', value: '值', labels: '标签', severity: '严重程度', state: '状态', since: '开始时间', about: '说明',
  trace: '链路', criticalPath: '关键路径', whereTime: '时间花在哪里', attributes: '属性', events: '事件', logLines: '该链路的日志', openTrace: '打开链路', noSpan: '选择一个 span 查看其属性。',
  traceNotFound: '没有这条链路', traceNotFoundHelp: 'Tempo 可能尚未收到，或已超过保留时间。',
  volume: '各级别的行数', newest: '最新在前', tail: '跟随', context: '前后的日志', lines: '行',
  table: '表格', graph: '图表', meaning: '含义', unit: '单位',
  objective: '目标', left: '剩余预算', burnRate: '消耗速度', spentIn: '耗尽时间', never: '不会', budgetOver: '周期内的剩余预算', burnBy: '各窗口的消耗速度', pagesAt: '呼叫阈值', ticketAt: '工单阈值', rules: '规则的行为', runbook: '操作手册', noRunbook: '没有同名的操作手册。',
  whatIf: '假如', errorRatio: '错误率', lasts: '持续时间', pagesAfter: '多久后呼叫', resolvesAfter: '多久后恢复', costs: '消耗的预算',
  neverFires: '不会触发', component: '组件', up: '正常', memory: '内存', cpu: 'CPU', version: '版本', target: '目标地址', lastScrape: '上次采集', scrapeTook: '用时', lostTelemetry: '丢失的遥测数据', nothingLost: '没有丢失',
  dependencies: '调用', lastErrors: '最近的错误', runtime: '运行时', openIn: '在 Grafana 中打开', slowest: '最慢的请求', bySpan: '按 span', compare: '比较', exemplars: '每个点是一个请求；点击可打开链路。',
  databases: '数据库', all: '全部', service_: '服务', database: '数据库', messages: '消息', outside: '外部', instance: '实例',
  tryFault: '运行一次演练，观察故障如何蔓延：', tryTrace: '打开一条慢链路：时间花在了哪里？', tryBudget: '查看剩余预算最少的目标。', tryLoad: '发送两倍的负载：',
}

export type Language = 'en' | 'zh'
const catalogues: Record<Language, Record<Key, string>> = { en, zh }

const stored = (key: string): string | null => { try { return localStorage.getItem(key) } catch { return null } }
const store = (key: string, v: string): void => { try { localStorage.setItem(key, v) } catch { /* private mode: kept for this page only */ } }

let language: Language = (stored('language') ?? (navigator.language.startsWith('zh') ? 'zh' : 'en')) === 'zh' ? 'zh' : 'en'
const changed = new EventTarget()

/** t returns the words of a key in the chosen language. */
export const t = (key: Key): string => catalogues[language][key]

export const currentLanguage = (): Language => language

export function setLanguage(to: Language): void {
  language = to
  store('language', to)
  document.documentElement.lang = to === 'zh' ? 'zh-CN' : 'en'
  changed.dispatchEvent(new Event('change'))
}

/** useLanguage draws the caller again when the language changes. */
export function useLanguage(): Language {
  const [l, set] = useState(language)
  useEffect(() => {
    const update = () => set(language)
    changed.addEventListener('change', update)
    return () => changed.removeEventListener('change', update)
  }, [])
  return l
}

export type Theme = 'light' | 'dark'

/** theme returns the chosen theme, or that of the system. */
export function theme(): Theme {
  const s = stored('theme')
  if (s === 'light' || s === 'dark') return s
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
}

export function setTheme(to: Theme, keep = true): void {
  if (keep) store('theme', to)
  document.documentElement.dataset.theme = to
  themes.dispatchEvent(new Event('change'))
}

/** themes tells of changes of the theme: charts read their colours from it. */
export const themes = new EventTarget()
