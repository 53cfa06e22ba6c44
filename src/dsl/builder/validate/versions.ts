import { keepsPast, type PlanNode, type StoreSpec } from '../../plan/index.ts'
import { type Check, problem } from './problem.ts'

/** The versioned store that a table's rows are in, or are derived from row by row. */
function pastOf(node: PlanNode): StoreSpec | undefined {
  const store = 'store' in node ? node.store : undefined
  if (store !== undefined) return store.kind === 'versioned' && keepsPast.has(node.kind) ? store : undefined
  const [input] = node.inputs
  return input !== undefined && (node.kind === 'filter' || node.kind === 'mapValues') ? pastOf(input) : undefined
}

/** A join with grace asks for rows as of a time, which only versioned tables know, and only so far back. */
export const missingPasts: Check = (plan) =>
  plan.nodes.flatMap((node) => {
    if (node.kind !== 'streamTableJoin' || node.grace === undefined) return []
    const table = node.inputs[1] as PlanNode
    const past = pastOf(table)
    const cure = `give '${table.name}' {store: {kind: 'versioned', history: …}}`
    if (past === undefined)
      return [
        problem(
          'DHAARA_STORE_VERSIONED',
          node,
          `found grace with a table that keeps no past, expected one that does; ${cure}`,
        ),
      ]
    if ((past.history ?? 0) >= node.grace) return []
    const message = `found a grace of ${node.grace} ms and a history of ${past.history} ms, expected a history that is at least as long; ${cure}`
    return [problem('DHAARA_STORE_VERSIONED', node, message)]
  })

/** Suppressed rows are late by intent, and a foreign-key join's come from three places: they keep no past. */
export const pastsNotKept: Check = (plan) =>
  plan.nodes.flatMap((node) => {
    const store = 'store' in node ? node.store : undefined
    if (store?.kind !== 'versioned' || keepsPast.has(node.kind)) return []
    const message = `found the versioned store '${store.name}' on a ${node.kind} step, expected a key-value store; keep the past behind it: .toStream().toTable({store: {kind: 'versioned', history: …}})`
    return [problem('DHAARA_STORE_VERSIONED', node, message)]
  })
