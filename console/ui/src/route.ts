// The address says all that a page shows, so that it can be sent to somebody.
import { useEffect, useState } from 'preact/hooks'

export interface Place { path: string; params: URLSearchParams }

const here = (): Place => ({ path: location.pathname.replace(/\/+$/, '') || '/', params: new URLSearchParams(location.search) })
const changed = new EventTarget()

/** go opens another place. replace keeps it out of the history. */
export function go(to: string, replace = false): void {
  if (to === location.pathname + location.search) return
  history[replace ? 'replaceState' : 'pushState'](null, '', to)
  changed.dispatchEvent(new Event('change'))
}

/** setParams changes parameters of the address; undefined or '' removes one. */
export function setParams(changes: Record<string, string | undefined>, replace = false): void {
  const params = new URLSearchParams(location.search)
  for (const [k, v] of Object.entries(changes)) v ? params.set(k, v) : params.delete(k)
  const text = params.toString()
  go(location.pathname + (text ? '?' + text : ''), replace)
}

/** link returns an address that keeps the time range. */
export function link(path: string, params: Record<string, string | undefined> = {}): string {
  const out = new URLSearchParams()
  const now = new URLSearchParams(location.search)
  for (const k of ['from', 'to']) { const v = now.get(k); if (v) out.set(k, v) }
  for (const [k, v] of Object.entries(params)) if (v) out.set(k, v)
  const text = out.toString()
  return path + (text ? '?' + text : '')
}

export function usePlace(): Place {
  const [place, set] = useState(here)
  useEffect(() => {
    const update = () => set(here())
    const click = (e: MouseEvent) => {
      if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return
      const a = (e.target as Element).closest?.('a')
      const to = a?.getAttribute('href')
      if (!a || !to?.startsWith('/') || to.startsWith('/api/') || a.target || a.hasAttribute('download')) return
      e.preventDefault()
      go(to)
      window.scrollTo(0, 0)
    }
    changed.addEventListener('change', update)
    window.addEventListener('popstate', update)
    document.addEventListener('click', click)
    return () => { changed.removeEventListener('change', update); window.removeEventListener('popstate', update); document.removeEventListener('click', click) }
  }, [])
  return place
}

/** Range is a time range in seconds. live: its end is now. */
export interface Range { from: number; to: number; live: boolean; text: string }

export const ranges: Record<string, number> = { '5m': 300, '15m': 900, '1h': 3600, '3h': 10800, '12h': 43200, '24h': 86400 }

/** rangeOf reads the range of an address: from=now-15m (the default), or from and to in milliseconds. */
export function rangeOf(params: URLSearchParams, now = Date.now()): Range {
  const from = params.get('from') ?? 'now-15m'
  const length = ranges[from.replace('now-', '')]
  if (length !== undefined) return { from: now / 1000 - length, to: now / 1000, live: true, text: from.replace('now-', '') }
  const a = Number(from), b = Number(params.get('to'))
  if (a > 0 && b > a) return { from: a / 1000, to: b / 1000, live: false, text: '' }
  return { from: now / 1000 - 900, to: now / 1000, live: true, text: '15m' }
}

/** stepOf returns a step in seconds that gives at most some 240 points, from a fixed list so that viewers ask alike. */
export function stepOf(r: Range): number {
  const want = (r.to - r.from) / 240
  return [1, 2, 5, 10, 15, 30, 60, 120, 300, 600].find((s) => s >= want) ?? 900
}

/** aligned puts the range on multiples of the step: viewers who ask in the same moment ask the same. */
export function aligned(r: Range): { from: number; to: number; step: number } {
  const step = stepOf(r)
  const to = Math.floor(r.to / step) * step
  return { from: to - Math.floor((r.to - r.from) / step) * step, to, step }
}
