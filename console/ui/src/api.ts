// Questions to the console's server. Every answer may be missing: callers get an Error whose message is for people.

export interface Flow { rate: number | null; errors: number | null; p95: number | null }
export interface Node extends Flow { name: string; kind: 'service' | 'database' | 'outside'; up?: boolean; alerts: number }
export interface Edge extends Flow { from: string; to: string; async: boolean }
export interface Alert { name: string; severity: string; service: string; state: string; since: string; labels: Record<string, string>; summary?: string; runbook?: string }
export interface Budget { service: string; slo: string; objective: number; left: number | null; burn: number | null; spent_in: number | null }
export interface Fault { service: string; kind: string; params?: Record<string, unknown>; ends: string }
export interface Load { tier: string; intended: number | null; achieved: number | null }
export interface Snapshot { at: string; nodes: Node[]; edges: Edge[]; alerts: Alert[]; budgets: Budget[]; faults: Fault[]; load: Load[]; problems: string[] }
export interface About { backends: Record<string, boolean>; grafana: string; scale: number; faults: boolean; burn: string }

/** get asks the server and decodes its JSON. */
export async function get<T>(path: string, params?: Record<string, string | number | undefined>, signal?: AbortSignal): Promise<T> {
  const query = new URLSearchParams()
  for (const [k, v] of Object.entries(params ?? {})) if (v !== undefined) query.set(k, String(v))
  const text = query.toString()
  const resp = await fetch(path + (text ? '?' + text : ''), { signal, headers: { Accept: 'application/json' } })
  const body = await resp.text()
  let data: unknown
  try {
    data = JSON.parse(body)
  } catch {
    throw new Error(body.trim().slice(0, 400) || `${resp.status} ${resp.statusText}`)
  }
  if (!resp.ok) {
    const e = data as { error?: string; message?: string }
    throw new Error(e.error ?? e.message ?? `${resp.status} ${resp.statusText}`)
  }
  return data as T
}

export type Labels = Record<string, string>
export interface Series { labels: Labels; times: number[]; values: (number | null)[] } // times in seconds
export interface Sample { labels: Labels; value: number | null }

interface PromAnswer { data: { resultType: string; result: { metric: Labels; value?: [number, string]; values?: [number, string][] }[] } }

const value = (text: string): number | null => {
  const v = Number(text)
  return Number.isNaN(v) ? null : v
}

/** query asks Prometheus for the values at one time, in seconds; now if it is undefined. */
export async function query(promql: string, time?: number, signal?: AbortSignal): Promise<Sample[]> {
  const a = await get<PromAnswer>('/api/backends/prometheus/api/v1/query', { query: promql, time }, signal)
  if (a.data.resultType === 'scalar') return [{ labels: {}, value: value((a.data.result as unknown as [number, string])[1]) }]
  return a.data.result.map((r) => ({ labels: r.metric, value: r.value ? value(r.value[1]) : null }))
}

/** queryRange asks Prometheus for series between two times. Points that are missing are null, never 0. */
export async function queryRange(promql: string, from: number, to: number, step: number, signal?: AbortSignal): Promise<Series[]> {
  const a = await get<PromAnswer>('/api/backends/prometheus/api/v1/query_range', { query: promql, start: from, end: to, step }, signal)
  return a.data.result.map((r) => onGrid(r.metric, r.values ?? [], from, to, step))
}

/** onGrid puts values on the times from, from + step, … */
export function onGrid(labels: Labels, values: [number, string][], from: number, to: number, step: number): Series {
  const n = Math.floor((to - from) / step + 1e-6) + 1
  const times = Array.from({ length: n }, (_, i) => from + i * step)
  const out: (number | null)[] = new Array<number | null>(n).fill(null)
  for (const [t, v] of values) {
    const i = Math.round((t - from) / step)
    if (i >= 0 && i < n) out[i] = value(v)
  }
  return { labels, times, values: out }
}
