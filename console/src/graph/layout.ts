import { Graph as Dagre, layout as place } from '@dagrejs/dagre'
import type { FlowEdge, FlowGraph } from './simplify.ts'

export const cardWidth = 176
export const cardHeight = 62

export interface Point {
  readonly x: number
  readonly y: number
}

export interface PlacedNode extends Point {
  readonly id: number
}

export interface PlacedEdge {
  readonly edge: FlowEdge
  /** Start, and then control, control, end of each curve. */
  readonly curve: readonly Point[]
}

export interface Layout {
  readonly width: number
  readonly height: number
  /** Top left corners. */
  readonly nodes: ReadonlyMap<number, PlacedNode>
  readonly edges: readonly PlacedEdge[]
}

/** Layers from left to right, by dagre (Gansner et al., "A technique for drawing directed graphs"). */
export function layOut({ nodes, edges }: FlowGraph): Layout {
  const graph = new Dagre({ multigraph: true })
  graph.setGraph({ rankdir: 'LR', nodesep: 20, ranksep: 54, edgesep: 12, marginx: 28, marginy: 40 })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const { id } of nodes) graph.setNode(String(id), { width: cardWidth, height: cardHeight })
  for (const [i, { from, to }] of edges.entries()) graph.setEdge(String(from), String(to), {}, String(i))
  place(graph)
  const placed = new Map(
    nodes.map(({ id }): [number, PlacedNode] => {
      const { x, y } = graph.node(String(id)) as Point
      return [id, { id, x: x - cardWidth / 2, y: y - cardHeight / 2 }]
    }),
  )
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number }
  return {
    width,
    height,
    nodes: placed,
    edges: edges.map((edge, i) => {
      const { points } = graph.edge({ v: String(edge.from), w: String(edge.to), name: String(i) }) as {
        points: readonly Point[]
      }
      return { edge, curve: smooth(ends(edge, placed, points)) }
    }),
  }
}

/** From the middle of the right side to the middle of the left one, past what lies between. */
function ends(edge: FlowEdge, placed: ReadonlyMap<number, PlacedNode>, points: readonly Point[]): Point[] {
  const from = placed.get(edge.from) as PlacedNode
  const to = placed.get(edge.to) as PlacedNode
  const start = { x: from.x + cardWidth, y: from.y + cardHeight / 2 }
  const end = { x: to.x, y: to.y + cardHeight / 2 }
  return [start, ...points.slice(1, -1).filter(({ x }) => x > start.x && x < end.x), end]
}

/** Horizontal tangents at every point: streams, not wires. */
function smooth(points: readonly Point[]): Point[] {
  const [first, ...rest] = points as [Point, ...Point[]]
  const curve: Point[] = [first]
  let before = first
  for (const point of rest) {
    const reach = Math.max(24, Math.abs(point.x - before.x) / 2)
    curve.push({ x: before.x + reach, y: before.y }, { x: point.x - reach, y: point.y }, point)
    before = point
  }
  return curve
}
