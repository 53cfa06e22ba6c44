import fc from 'fast-check'
import { cut } from './cut.ts'
import type { Op, Shape, ShapeNode } from './shape.ts'

/** Sums over windows that nothing is late for: what order records come in makes no difference. */
export const summing = ({ nodes }: Shape): Shape => ({
  nodes: nodes.map((node): ShapeNode => {
    if (node.op === 'stream') return { ...node, watermark: { kind: 'monotonous' } }
    if (node.op !== 'aggregate') return node
    const { windows, ...rest } = node
    if (windows === undefined) return { ...rest, fold: 'sum' }
    return { ...rest, fold: 'sum', windows: { ...windows, grace: 10_000, emit: 'close' } }
  }),
})

export const orderlessSteps: fc.Arbitrary<Op> = fc.constantFrom(
  'filter',
  'mapValues',
  'map',
  'selectKey',
  'flatMapValues',
  'merge',
  'repartition',
  'aggregate',
  'aggregate',
  'toTable',
  'tableFilter',
  'tableMap',
  'group',
)

/** Rows of a table that is fed over a repartition depend on who comes last, and so does what is made of them. */
export function isOrderless(shape: Shape): boolean {
  const { tasks, taskOf } = cut(shape)
  return shape.nodes.every((node, i) => node.op !== 'toTable' || tasks[taskOf[i] as number]?.repartitions.length === 0)
}
