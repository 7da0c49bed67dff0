// All words of the page, in two catalogues. TypeScript holds that both have the same keys, and that every key exists.
import { useEffect, useState } from 'preact/hooks'

const en = {
  map: 'Map',
  alerts: 'Alerts',
  live: 'live',
  lost: 'no connection',
  lostHelp: 'The console’s server does not answer. The page comes back by itself.',
  last: 'Last',
  range: 'Time range',
  fixedRange: 'fixed range',
  backToNow: 'back to now',
  scale: 'scale',
  scaleHelp: 'Windows of objectives run this many times faster than real',
  theme: 'Light or dark',
  language: 'Language',
  requestsNow: 'Requests, now',
  requestsNowHelp: 'rate · errors · p95, of the last 15 s',
  errors: 'Errors',
  errorsHelp: 'share of requests that fail',
  p95: 'p95 duration',
  p95Help: 'one request in twenty takes longer',
  burn: 'Budget burn',
  burnHelp: 'times too fast',
  budgets: 'Error budgets',
  faultsInForce: 'Faults in force',
  faultsHelp: 'asked from the services, not remembered',
  noFaults: 'Nothing is broken on purpose',
  endsIn: 'ends in',
  firing: 'firing',
  pending: 'pending',
  inhibited: 'inhibited',
  silenced: 'silenced',
  noAlerts: 'No alert is pending or firing',
  tryNext: 'Try next',
  load: 'Load',
  noLoad: 'No load test runs',
  background: 'background',
  loadTier: 'load test',
  drill: 'drill',
  noTraffic: 'no traffic',
  down: 'down',
  fault: 'fault',
  loading: 'Loading…',
  noData: 'No data',
  noDataHelp: 'There is nothing in this time range. Choose a longer one, or send some requests.',
  failed: 'This could not be asked',
  copy: 'copy',
  copied: 'copied',
  databases: 'databases',
  database: 'database',
  messages: 'messages',
  outside: 'outside',
  tryFault: 'Run a drill and watch the failure spread:',
  tryLoad: 'Send twice the load:',
  noPage: 'There is no such page',
} as const

export type Key = keyof typeof en

const zh: Record<Key, string> = {
  map: '拓扑',
  alerts: '告警',
  live: '实时',
  lost: '连接中断',
  lostHelp: '控制台服务没有响应，恢复后页面会自动刷新。',
  last: '最近',
  range: '时间范围',
  fixedRange: '固定范围',
  backToNow: '回到现在',
  scale: '时间倍率',
  scaleHelp: '目标的时间窗口以这个倍数快于真实时间',
  theme: '浅色或深色',
  language: '语言',
  requestsNow: '当前请求',
  requestsNowHelp: '最近 15 秒的速率 · 错误率 · p95',
  errors: '错误率',
  errorsHelp: '失败请求的比例',
  p95: 'p95 耗时',
  p95Help: '每二十个请求中有一个更慢',
  burn: '预算消耗速度',
  burnHelp: '超出允许速度的倍数',
  budgets: '错误预算',
  faultsInForce: '正在生效的故障',
  faultsHelp: '向服务实时查询，而非凭记录',
  noFaults: '没有人为注入的故障',
  endsIn: '剩余',
  firing: '触发中',
  pending: '待定',
  inhibited: '被抑制',
  silenced: '已静默',
  noAlerts: '没有待定或触发的告警',
  tryNext: '接下来试试',
  load: '负载',
  noLoad: '没有正在运行的负载测试',
  background: '背景',
  loadTier: '负载测试',
  drill: '演练',
  noTraffic: '没有流量',
  down: '停止',
  fault: '故障',
  loading: '加载中…',
  noData: '没有数据',
  noDataHelp: '该时间范围内没有数据。请选择更长的范围，或发送一些请求。',
  failed: '查询失败',
  copy: '复制',
  copied: '已复制',
  databases: '数据库',
  database: '数据库',
  messages: '消息',
  outside: '外部',
  tryFault: '运行一次演练，观察故障如何蔓延：',
  tryLoad: '发送两倍的负载：',
  noPage: '没有这个页面',
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
