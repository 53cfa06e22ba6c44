import type { PhysicalPlan, Step } from '../../engine/plan/physical.ts'
import { isCounted } from '../../engine/codegen/steps.ts'
import type { Graph, GraphEdge, GraphNode } from './types.ts'

/** The steps of a compiled plan, wired as they run. */
export function graphOf(plan: PhysicalPlan): Graph {
  const within: GraphEdge[] = plan.steps.flatMap((step) =>
    step.outputs.map(({ to }) => ({ from: step.id, to: to.id, shuffle: false })),
  )
  const across: GraphEdge[] = plan.steps.flatMap(({ id, op }) =>
    op.kind !== 'repartitionWrite'
      ? []
      : plan.steps
          .filter((reader) => reader.op.kind === 'repartitionRead' && reader.op.repartition.id === op.repartition.id)
          .map((reader) => ({ from: id, to: reader.id, shuffle: true })),
  )
  return {
    subs: plan.subs.map(({ id, name }) => ({ id, name })),
    nodes: plan.steps.map((step) => nodeOf(step)),
    edges: [...within, ...across],
  }
}

function nodeOf(step: Step): GraphNode {
  const { id, name, op, sub, table } = step
  const { site } = op as { readonly site?: string }
  return {
    id,
    name,
    kind: op.kind,
    sub,
    table,
    stores: storesOf(step),
    topics: topicsOf(step),
    ...(site === undefined ? {} : { site }),
    passes: !isCounted(step) && op.kind !== 'source' && op.kind !== 'repartitionRead',
  }
}

function storesOf({ op }: Step): string[] {
  const own = 'store' in op && op.store !== undefined ? [(op.store as { readonly name: string }).name] : []
  const named = 'stores' in op && Array.isArray(op.stores) ? (op.stores as readonly string[]) : []
  return [...own, ...named]
}

function topicsOf({ op }: Step): string[] {
  if (op.kind === 'source') return op.topics instanceof RegExp ? [String(op.topics)] : [...op.topics]
  if (op.kind === 'sink') return typeof op.topic === 'string' ? [op.topic] : []
  return []
}
