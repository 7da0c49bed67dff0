// How figures are written. What is unknown is a dash, never 0.

export const unknown = '–'

type Maybe = number | null | undefined

const known = (v: Maybe): v is number => v !== null && v !== undefined && Number.isFinite(v)

/** number writes v with about three significant digits. */
export function number(v: Maybe): string {
  if (!known(v)) return unknown
  const a = Math.abs(v)
  if (a === 0) return '0'
  if (a >= 1e9) return (v / 1e9).toPrecision(3) + 'G'
  if (a >= 1e6) return (v / 1e6).toPrecision(3) + 'M'
  if (a >= 1e4) return (v / 1e3).toPrecision(3) + 'k'
  if (a >= 100) return v.toFixed(0)
  if (a >= 10) return v.toFixed(1)
  if (a >= 0.001) return String(Number(v.toPrecision(3)))
  return v.toExponential(1)
}

/** rate writes events per second. */
export const rate = (v: Maybe): string => (known(v) ? number(v) + '/s' : unknown)

/** percent writes a share from 0 to 1. */
export function percent(v: Maybe): string {
  if (!known(v)) return unknown
  const p = v * 100
  const a = Math.abs(p)
  if (a === 0) return '0 %'
  if (a < 0.01) return '<0.01 %'
  return (a >= 10 ? p.toFixed(a >= 99.5 && a < 100 ? 1 : 0) : p.toFixed(a >= 1 ? 1 : 2)) + ' %'
}

/** seconds writes a length of time given in seconds. */
export function seconds(v: Maybe): string {
  if (!known(v)) return unknown
  const sign = v < 0 ? '−' : ''
  const a = Math.abs(v)
  if (a === 0) return '0 s'
  if (a < 0.0009995) return sign + Math.round(a * 1e6) + ' µs'
  if (a < 0.00995) return sign + (a * 1e3).toFixed(1) + ' ms'
  if (a < 0.9995) return sign + Math.round(a * 1e3) + ' ms'
  if (a < 9.995) return sign + a.toFixed(2) + ' s'
  if (a < 119.5) return sign + a.toFixed(0) + ' s'
  if (a < 7200) return sign + Math.round(a / 60) + ' min'
  if (a < 172800) return sign + (a / 3600).toFixed(1) + ' h'
  return sign + (a / 86400).toFixed(1) + ' d'
}

/** bytes writes a number of bytes. */
export function bytes(v: Maybe): string {
  if (!known(v)) return unknown
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let i = 0
  let a = Math.abs(v)
  for (; a >= 1024 && i < units.length - 1; i++) a /= 1024
  return (v < 0 ? '−' : '') + (i === 0 ? a.toFixed(0) : a.toPrecision(3)) + ' ' + units[i]
}

const two = (n: number) => String(n).padStart(2, '0')

/** clock writes a time of day; with a date if it is not today. */
export function clock(ms: Maybe, withMillis = false): string {
  if (!known(ms)) return unknown
  const d = new Date(ms)
  const time = `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}` + (withMillis ? '.' + String(d.getMilliseconds()).padStart(3, '0') : '')
  return d.toDateString() === new Date().toDateString() ? time : `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${time}`
}
