import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { queryRange, type About, type Series, type Snapshot } from '../api'
import { number, percent, seconds } from '../format'
import { t } from '../i18n'
import { aligned, setParams, usePlace, rangeOf } from '../route'
import { Answer, Card, Copy, Empty, useAsked } from '../parts/basics'
import { Chart, type Line } from '../parts/chart'
import { ServiceMap } from '../parts/graph'

/** queries are those of the charts below the map. They do not depend on the viewer, so that the server asks them once. */
export const queries = {
  errors: 'sum by (job) (rate(http_server_request_duration_seconds_count{http_response_status_code=~"5.."}[30s])) / (sum by (job) (rate(http_server_request_duration_seconds_count[30s])) > 0)',
  p95: 'histogram_quantile(0.95, sum by (job) (rate(http_server_request_duration_seconds[30s])))',
}

/** named returns lines with names made of labels, the largest first. */
export function named(series: Series[], name: (labels: Record<string, string>) => string, most = 8): Line[] {
  const top = (s: Series) => Math.max(...s.values.map((v) => v ?? -Infinity))
  return [...series].sort((a, b) => top(b) - top(a)).slice(0, most).map((s) => ({ name: name(s.labels), series: s }))
}

export function MapPage(p: { of: Snapshot | null; about: About | null }): JSX.Element {
  const s = p.of
  const withStores = usePlace().params.get('stores') === '1'
  if (!s) return <div class="main"><Card title={t('requestsNow')}><Empty what={t('loading')} /></Card></div>
  return <div class="main">
    {s.problems.length > 0 && <div class="notice" role="status">{s.problems.map((x) => <div key={x} class="warn">{x}</div>)}</div>}
    <div class="split">
      <div class="col">
        <Card title={t('requestsNow')} note={t('requestsNowHelp')}>
          {s.nodes.length > 0 ? <div class="in"><ServiceMap of={withStores ? s : withoutStores(s)} />
            {s.nodes.some((n) => n.kind === 'database') && <label class="mut" style="font-size:12px"><input type="checkbox" checked={withStores}
              onChange={(e) => setParams({ stores: e.currentTarget.checked ? '1' : undefined }, true)} /> {t('databases')}</label>}</div> : <Empty what={t('noData')} help={t('noDataHelp')} />}
        </Card>
        <Charts burn={p.about?.burn} />
      </div>
      <aside class="col">
        <Faults of={s} />
        <Alerts of={s} />
        <Budgets of={s} />
        <Loads of={s} />
        <TryNext />
      </aside>
    </div>
  </div>
}

/** withoutStores leaves out databases, which make the map hard to read. */
function withoutStores(s: Snapshot): Snapshot {
  const stores = new Set(s.nodes.filter((n) => n.kind === 'database').map((n) => n.name))
  return { ...s, nodes: s.nodes.filter((n) => !stores.has(n.name)), edges: s.edges.filter((e) => !stores.has(e.from) && !stores.has(e.to)) }
}

function Charts(p: { burn?: string }): JSX.Element {
  const range = rangeOf(usePlace().params)
  const key = range.live ? range.text : `${range.from} ${range.to}`
  const ask = async (signal: AbortSignal) => {
    const { from, to, step } = aligned(rangeOf(new URLSearchParams(location.search)))
    const [errors, p95, burn] = await Promise.all([queries.errors, queries.p95, `max by (service, slo) (${p.burn ?? 'slo:burn_rate:rate1h'})`].map((q) => queryRange(q, from, to, step, signal)))
    return { from, to, errors: errors!, p95: p95!, burn: burn! }
  }
  const got = useAsked(`charts ${key} ${p.burn ?? ''}`, ask, range.live ? 5 : 0)
  const zoom = (from: number, to: number) => setParams({ from: String(Math.round(from * 1000)), to: String(Math.round(to * 1000)) })
  const job = (l: Record<string, string>) => l.job ?? ''
  return <div class="charts">
    {([
      ['errors', t('errors'), t('errorsHelp'), percent, job],
      ['p95', t('p95'), t('p95Help'), seconds, job],
      ['burn', t('burn'), t('burnHelp'), (v: number | null | undefined) => number(v) + '×', (l: Record<string, string>) => `${l.service ?? ''} ${l.slo ?? ''}`],
    ] as const).map(([name, title, help, write, by]) => <Card key={name} title={title} note={help}>
      <Answer of={got} empty={(d) => d[name].length === 0}>
        {(d) => <div class="in"><Chart label={title} lines={named(d[name], by)} write={write} from={d.from} to={d.to} onZoom={zoom} /></div>}
      </Answer>
    </Card>)}
  </div>
}

function Faults(p: { of: Snapshot }): JSX.Element {
  const now = useNow(p.of.faults.length > 0)
  return <Card title={t('faultsInForce')} note={t('faultsHelp')}>
    {p.of.faults.length === 0 && <div class="row mut">{t('noFaults')}</div>}
    {p.of.faults.map((f) => <div class="row" key={f.service + f.kind}>
      <div><span class="bad b">● {f.service}: {f.kind}</span><span class="mut">{t('endsIn')} {seconds(Math.max(0, (Date.parse(f.ends) - now) / 1000))}</span></div>
      <small>{Object.entries(f.params ?? {}).map(([k, v]) => `${k} ${typeof v === 'object' ? JSON.stringify(v) : String(v)}`).join(' · ')}</small>
    </div>)}
  </Card>
}

/** useNow draws the caller again each second while on. */
export function useNow(on: boolean): number {
  const [now, set] = useState(Date.now())
  useEffect(() => {
    if (!on) return
    const timer = setInterval(() => set(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [on])
  return now
}

function Alerts(p: { of: Snapshot }): JSX.Element {
  const word = { firing: t('firing'), pending: t('pending'), inhibited: t('inhibited'), silenced: t('silenced') } as Record<string, string>
  const shown = p.of.alerts.filter((a) => a.state !== 'silenced')
  return <Card title={t('alerts')} note={String(shown.filter((a) => a.state === 'firing').length)}>
    {shown.length === 0 && <div class="row mut">{t('noAlerts')}</div>}
    {shown.map((a) => <div class="row" key={JSON.stringify(a.labels)}>
      <div><span class={a.state === 'firing' ? 'bad b' : 'mut'}>{a.name}</span><span class={a.severity === 'page' && a.state === 'firing' ? 'bad' : 'mut'}>{a.severity} · {word[a.state] ?? a.state}</span></div>
      <small>{a.summary ?? a.service}</small>
    </div>)}
  </Card>
}

function Budgets(p: { of: Snapshot }): JSX.Element {
  return <Card title={t('budgets')}>
    {p.of.budgets.length === 0 && <div class="row mut">{t('noData')}</div>}
    {p.of.budgets.map((b) => {
      const left = b.left ?? null
      const state = left === null ? '' : left <= 0.1 ? 'bad' : left <= 0.4 ? 'warn' : ''
      return <div class="row" key={b.service + b.slo}>
        <div><span>{b.service}: {b.slo}</span><span class={'b ' + state}>{percent(left)}</span></div>
        <div class="bar"><s class={state} style={{ width: Math.max(0, Math.min(1, left ?? 0)) * 100 + '%' }} /></div>
      </div>
    })}
  </Card>
}

function Loads(p: { of: Snapshot }): JSX.Element {
  const word = { load: t('loadTier'), background: t('background'), drill: t('drill') } as Record<string, string>
  return <Card title={t('load')}>
    {p.of.load.length === 0 && <div class="row mut">{t('noLoad')}</div>}
    {p.of.load.map((l) => <div class="row" key={l.tier}><div><span>{word[l.tier] ?? l.tier}</span><span>{number(l.achieved)} / {number(l.intended)} /s</span></div></div>)}
  </Card>
}

function TryNext(): JSX.Element {
  return <Card title={t('tryNext')}>
    <div class="row"><div style="display:block">{t('tryFault')}<br /><Copy text="firedrill drill run total-outage" /></div></div>
    <div class="row"><div style="display:block">{t('tryLoad')}<br /><Copy text="firedrill load loadgen/profiles/steady.yaml" /></div></div>
  </Card>
}
