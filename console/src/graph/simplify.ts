import type { Graph, GraphNode } from '../../../src/http/live/types.ts'

/** Steps that do nothing to a record, or only carry it: they are drawn as the edge they are. */
const carriers = new Set(['group', 'toStream', 'branch', 'late', 'repartitionWrite', 'repartitionRead'])

export interface FlowEdge {
  readonly from: number
  readonly to: number
  /** Through a change of key. */
  readonly shuffle: boolean
  /** The step whose count tells the rate, and whether it is what comes out of it. */
  readonly counted: number
  /** Steps that it stands for. */
  readonly via: readonly number[]
  readonly label: string | undefined
}

export interface FlowGraph {
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly FlowEdge[]
}

/** The graph as people think of it; with `all`, as it runs. */
export function simplify({ nodes, edges }: Graph, all: boolean): FlowGraph {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const shown = (node: GraphNode): boolean => all || !carriers.has(node.kind)
  const following = Map.groupBy(edges, ({ from }) => from)
  const found = new Map<string, FlowEdge>()

  const walk = (from: GraphNode, at: GraphNode, edge: Omit<FlowEdge, 'from' | 'to'>): void => {
    for (const { to, shuffle } of following.get(at.id) ?? []) {
      const next = byId.get(to) as GraphNode
      const on = { ...edge, shuffle: edge.shuffle || shuffle }
      if (shown(next)) {
        const key = `${from.id} ${next.id} ${on.label ?? ''}`
        if (!found.has(key)) found.set(key, { from: from.id, to: next.id, ...on })
        continue
      }
      const labelled = next.kind === 'branch' || next.kind === 'late'
      walk(from, next, {
        ...on,
        via: [...on.via, next.id],
        counted: labelled ? next.id : on.counted,
        label: labelled ? shortName(next.name) : on.label,
      })
    }
  }
  const visible = nodes.filter(shown)
  for (const node of visible) walk(node, node, { shuffle: false, counted: node.id, via: [], label: undefined })
  return { nodes: visible, edges: [...found.values()] }
}

const shortName = (name: string): string => name.replace(/^.*[./]/, '')
