import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import { graphlib, layout } from '@dagrejs/dagre'
import type { Edge, Node, Snapshot } from '../api'
import { percent, rate, seconds } from '../format'
import { t } from '../i18n'

const width = 150, height = 74

interface Placed { node: Node; x: number; y: number }
interface Drawn { edge: Edge; path: string }

/** place lays out the graph. It depends on names only, so that nothing jumps when figures change. */
function place(names: string[], edges: [string, string][]): { at: Map<string, { x: number; y: number }>; w: number; h: number } {
  const g = new graphlib.Graph()
  g.setGraph({ rankdir: 'LR', nodesep: 22, ranksep: 78, marginx: 8, marginy: 8 })
  g.setDefaultEdgeLabel(() => ({}))
  for (const n of names) g.setNode(n, { width, height })
  for (const [a, b] of edges) g.setEdge(a, b)
  layout(g)
  const at = new Map(names.map((n) => { const p = g.node(n) as { x: number; y: number }; return [n, { x: p.x, y: p.y }] }))
  const size = g.graph() as { width: number; height: number }
  return { at, w: Math.max(size.width, 300), h: Math.max(size.height, 120) }
}

/** ServiceMap draws who calls whom. Fault, alerts and errors are told by a mark and words, not by colour alone. */
export function ServiceMap(p: { of: Snapshot }): JSX.Element {
  const names = p.of.nodes.map((n) => n.name)
  const pairs = p.of.edges.map((e): [string, string] => [e.from, e.to])
  const key = names.join() + '|' + pairs.join()
  const { at, w, h } = useMemo(() => place(names, pairs), [key])
  const nodes: Placed[] = p.of.nodes.map((node) => ({ node, ...(at.get(node.name) ?? { x: 0, y: 0 }) }))
  const edges: Drawn[] = p.of.edges.map((edge) => ({ edge, path: pathOf(at.get(edge.from), at.get(edge.to)) }))
  const most = Math.max(1, ...p.of.edges.map((e) => e.rate ?? 0))
  return <div class="scroll"><svg class="map" viewBox={`0 0 ${w} ${h}`} style={{ minWidth: Math.min(w, 640) + 'px', maxHeight: '64vh' }} role="group" aria-label={t('map')}>
    {edges.map(({ edge, path }) => <path key={edge.from + '>' + edge.to} class={'e ' + grade(edge.errors)} d={path}
      stroke-width={1.2 + 3 * Math.sqrt((edge.rate ?? 0) / most)} stroke-dasharray={edge.async ? '5 4' : undefined}>
      <title>{`${edge.from} → ${edge.to}: ${rate(edge.rate)}, ${t('errors')} ${percent(edge.errors)}, p95 ${seconds(edge.p95)}`}</title>
    </path>)}
    {nodes.map(({ node, x, y }) => <Box key={node.name} node={node} x={x - width / 2} y={y - height / 2} fault={p.of.faults.some((f) => f.service === node.name)} />)}
  </svg></div>
}

/** grade returns how bad a share of errors is. */
export function grade(errors: number | null): '' | 'warn' | 'bad' {
  if (errors === null || errors < 0.001) return ''
  return errors >= 0.02 ? 'bad' : 'warn'
}

function Box(p: { node: Node; x: number; y: number; fault: boolean }): JSX.Element {
  const n = p.node
  const state = n.up === false || n.alerts > 0 ? 'bad' : grade(n.errors)
  const mark = n.up === false ? t('down') : p.fault ? t('fault') : n.alerts > 0 ? '● ' + n.alerts : ''
  const quiet = n.rate === null || n.rate === 0
  return <g data-node={n.name} data-state={state || 'ok'} transform={`translate(${p.x} ${p.y})`}>
      <title>{`${n.name}: ${rate(n.rate)}, ${t('errors')} ${percent(n.errors)}, p95 ${seconds(n.p95)}`}</title>
      <rect class={'n ' + state} width={width} height={height} rx="9" />
      {p.fault && <rect class="fault" width={width} height="5" rx="2" />}
      <text class="t" x="12" y="24">{n.name.length > 17 ? n.name.slice(0, 16) + '…' : n.name}</text>
      {mark && <text class={state || 'bad'} x={width - 12} y="24" text-anchor="end">{mark}</text>}
      {quiet
        ? <text class="m" x="12" y="45">{t('noTraffic')}</text>
        : <><text x="12" y="45">{rate(n.rate)}</text><text class={grade(n.errors) || 'ok'} x={width - 12} y="45" text-anchor="end">{percent(n.errors)}</text></>}
      <text class="m" x="12" y="63">{n.p95 !== null ? 'p95 ' + seconds(n.p95) : n.kind === 'service' ? '' : t(n.kind)}</text>
  </g>
}

function pathOf(a?: { x: number; y: number }, b?: { x: number; y: number }): string {
  if (!a || !b) return ''
  const back = b.x < a.x
  const x1 = a.x + (back ? -1 : 1) * width / 2, x2 = b.x + (back ? 1 : -1) * width / 2
  const bend = Math.max(24, Math.abs(x2 - x1) / 2) * (back ? -1 : 1)
  return `M${x1} ${a.y}C${x1 + bend} ${a.y} ${x2 - bend} ${b.y} ${x2} ${b.y}`
}
