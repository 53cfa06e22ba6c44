import type { ForeignJoinNode } from '../../dsl/plan/index.ts'
import { itemsSerde } from '../operators/foreign/messages.ts'
import type { Repartition, Step } from './physical.ts'
import { newStep } from './step.ts'

/** How a foreign-key join's places reach one another. */
export interface Wires {
  add(step: Step): Step
  /** Writes what comes out of `from` into a repartition of row changes; gives its reading end. */
  through(from: Step, repartition: Omit<Repartition, 'id' | 'change'>): Step
}

/**
 * A foreign-key join runs in three places: at its left table, which is spread by the left key, at its right table, and where
 * rows meet answers, spread by the left key again. That this is no longer the left table's own place keeps the graph free of
 * cycles, so that each place's W follows from those before it.
 *
 *     left ─ send ─┬───────────────(rows)──────────────▶ join ─▶
 *                  └─(follows)─▶ lookup ─(answers)────────┘
 *     right ────────────────────────┘
 */
export function wireForeignJoin(node: ForeignJoinNode, left: Step, right: Step, wires: Wires): Step {
  const [leftNode, rightNode] = node.inputs
  const name = node.store?.name ?? node.name
  const send = wires.add(newStep(`${node.name}-send`, { kind: 'foreignSend', node }, true, [left]))
  const rows = wires.through(send, {
    name: `${name}-rows`,
    key: leftNode?.key,
    value: itemsSerde([leftNode?.value]),
  })
  const follows = wires.through(send, { name: `${name}-follows`, key: rightNode?.key })
  const lookup = wires.add(newStep(`${node.name}-lookup`, { kind: 'foreignLookup', node }, true, [follows, right]))
  const answers = wires.through(lookup, {
    name: `${name}-answers`,
    key: leftNode?.key,
    value: itemsSerde([rightNode?.value]),
  })
  return wires.add(newStep(node.name, node, true, [rows, answers]))
}
