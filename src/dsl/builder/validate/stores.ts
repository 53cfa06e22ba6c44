import { allStores } from '../../plan/own-stores.ts'
import { type Check, problem } from './problem.ts'

/** Processors may use what the plan has. */
export const unknownStores: Check = (plan) => {
  const known = new Set(allStores(plan).map((store) => store.name))
  return plan.nodes.flatMap((node) => {
    const used = node.kind === 'process' || node.kind === 'transformValues' ? node.stores : []
    return used
      .filter((name) => !known.has(name))
      .map((name) => {
        const has = known.size === 0 ? 'none' : [...known].join(', ')
        const message = `found the store '${name}' in {stores}, expected one that the topology has (${has}); pass its handle, or add it with builder.addStateStore`
        return problem('DHAARA_STORE_UNKNOWN', node, message)
      })
  })
}
