import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { Series } from '../api'
import { themes } from '../i18n'
import { unknown } from '../format'

/** Line is a series with a name. */
export interface Line { name: string; series: Series; colour?: string }

/** Level is a horizontal line, such as the threshold of an alert. */
export interface Level { value: number; name: string; colour: string }

/** Dot is a single request on a chart. */
export interface Dot { time: number; value: number; trace: string }

interface Props {
  lines: Line[]
  write: (v: number | null | undefined) => string
  from: number
  to: number
  height?: number
  max?: number
  levels?: Level[]
  dots?: Dot[]
  onDot?: (d: Dot) => void
  onZoom?: (from: number, to: number) => void
  label: string
}

const colours = ['--c1', '--c2', '--c3', '--c4', '--c5', '--c6', '--c7', '--c8']
const css = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

/** colourOf returns the colour of a name among the names of a chart. */
function colourOf(name: string, names: string[]): string {
  return colours[[...names].sort().indexOf(name) % colours.length] ?? '--c1'
}

/** Chart draws series over time. */
export function Chart(p: Props): JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const latest = useRef(p)
  latest.current = p
  const shape = p.lines.map((l) => l.name).join('\n') + (p.levels ?? []).map((l) => l.value).join() + (p.height ?? '')

  useEffect(() => {
    const el = box.current
    if (!el) return
    const draw = () => {
      plot.current?.destroy()
      plot.current = new uPlot(optionsOf(latest, el.clientWidth), dataOf(latest.current), el)
    }
    draw()
    const resize = new ResizeObserver(() => plot.current?.setSize({ width: el.clientWidth, height: latest.current.height ?? 150 }))
    resize.observe(el)
    themes.addEventListener('change', draw)
    return () => { resize.disconnect(); themes.removeEventListener('change', draw); plot.current?.destroy(); plot.current = null }
  }, [shape])

  useEffect(() => {
    const u = plot.current
    if (!u) return
    u.setData(dataOf(p), false)
    u.setScale('x', { min: p.from, max: p.to })
  })
  return <>
    <div class="chart" ref={box} role="img" aria-label={summary(p)} />
    <ul class="legend" aria-hidden="true">{p.lines.map((l) => <li key={l.name}>
      <i style={{ background: `var(${l.colour ?? colourOf(l.name, p.lines.map((x) => x.name))})` }} />{l.name} <b>{p.write(last(l.series.values))}</b></li>)}</ul>
  </>
}

const last = (values: (number | null)[]) => values.findLast((v) => v !== null)

/** summary says in words what a chart shows now. */
function summary(p: Props): string {
  const parts = p.lines.slice(0, 8).map((l) => {
    return `${l.name} ${p.write(last(l.series.values))}`
  })
  return `${p.label}: ${parts.join(', ') || unknown}`
}

function dataOf(p: Props): uPlot.AlignedData {
  const times = p.lines[0]?.series.times ?? [p.from, p.to]
  return [times, ...p.lines.map((l) => (l.series.times.length === times.length ? l.series.values : times.map(() => null)))] as uPlot.AlignedData
}

function optionsOf(latest: { current: Props }, width: number): uPlot.Options {
  const p = latest.current
  const grid = { stroke: css('--line'), width: 1 }
  const axis = { stroke: css('--mut'), grid, ticks: { show: false }, font: '11px system-ui' }
  return {
    width, height: p.height ?? 150,
    legend: { show: false },
    cursor: { y: false, drag: { x: p.onZoom !== undefined, y: false, setScale: false }, sync: { key: 'time' } },
    scales: { x: { time: true, min: p.from, max: p.to }, y: { range: (_u, lo, hi) => rangeOf(latest.current, lo, hi) } },
    axes: [
      { ...axis, values: (_u, at) => at.map((t) => { const d = new Date(t * 1000); return `${String(d.getHours()).padStart(2, '0')}:${String(d.getMinutes()).padStart(2, '0')}` }), space: 60 },
      { ...axis, size: 62, values: (_u, at) => at.map((v) => latest.current.write(v)), space: 30 },
    ],
    series: [
      { value: (_u, v) => (v === null || v === undefined ? unknown : new Date(v * 1000).toLocaleTimeString()) },
      ...p.lines.map((l) => ({
        label: l.name, stroke: css(l.colour ?? colourOf(l.name, p.lines.map((x) => x.name))), width: 1.6, points: { show: false }, spanGaps: false,
        value: (_u: uPlot, v: number | null) => latest.current.write(v),
      })),
    ],
    hooks: {
      draw: [(u) => overlay(u, latest.current)],
      setSelect: [(u) => {
        if (u.select.width > 4) latest.current.onZoom?.(u.posToVal(u.select.left, 'x'), u.posToVal(u.select.left + u.select.width, 'x'))
        u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
      }],
      ready: [(u) => u.over.addEventListener('click', () => {
        const d = nearest(u, latest.current)
        if (d) latest.current.onDot?.(d)
      })],
    },
  }
}

/** rangeOf returns the range of the y axis: from 0, if nothing is below it, and never empty. */
function rangeOf(p: Props, lo: number | null, hi: number | null): [number, number] {
  const values = [lo ?? 0, hi ?? 0, ...(p.dots ?? []).map((d) => d.value)]
  let max = Math.max(...values, p.max ?? -Infinity)
  const min = Math.min(0, ...values)
  if (max <= min) max = min + 1
  // A threshold is shown if it is near enough not to flatten the line.
  for (const l of p.levels ?? []) if (l.value > max && l.value < max * 8) max = l.value
  return [min, max + (max - min) * 0.08]
}

function overlay(u: uPlot, p: Props): void {
  const c = u.ctx
  const ratio = devicePixelRatio
  c.save()
  for (const l of p.levels ?? []) {
    const y = u.valToPos(l.value, 'y', true)
    if (y < u.bbox.top || y > u.bbox.top + u.bbox.height) continue
    c.strokeStyle = c.fillStyle = css(l.colour)
    c.setLineDash([4 * ratio, 4 * ratio])
    c.beginPath(); c.moveTo(u.bbox.left, y); c.lineTo(u.bbox.left + u.bbox.width, y); c.stroke()
    c.font = `${11 * ratio}px system-ui`
    c.fillText(l.name, u.bbox.left + 4 * ratio, y - 3 * ratio)
  }
  c.fillStyle = css('--acc')
  for (const d of p.dots ?? []) {
    const x = u.valToPos(d.time, 'x', true), y = u.valToPos(d.value, 'y', true)
    if (x < u.bbox.left || x > u.bbox.left + u.bbox.width || y < u.bbox.top) continue
    c.beginPath(); c.arc(x, y, 3 * ratio, 0, 7); c.fill()
  }
  c.restore()
}

function nearest(u: uPlot, p: Props): Dot | undefined {
  const x = u.cursor.left ?? -1, y = u.cursor.top ?? -1
  let best: Dot | undefined, least = 10
  for (const d of p.dots ?? []) {
    const far = Math.hypot(u.valToPos(d.time, 'x') - x, u.valToPos(d.value, 'y') - y)
    if (far < least) { least = far; best = d }
  }
  return best
}
