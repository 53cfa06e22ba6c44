import type { StoreSpec } from '../../dsl/plan/index.ts'
import type { Step, SubTopology } from './physical.ts'

/** Stores that a step reads or writes. */
export function storesOf(step: Step): readonly string[] {
  const op = step.op
  const own = 'store' in op && op.store ? [op.store.name] : []
  if (op.kind === 'suppress') own.push(op.buffer.name)
  return 'stores' in op ? [...own, ...op.stores] : own
}

/** Steps that keep state, or meet state, by key. */
const meeting = new Set<Step['op']['kind']>([
  'aggregate',
  'tableJoin',
  'streamTableJoin',
  'streamJoin',
  'process',
  'deduplicate',
  'broadcast',
  'match',
  'foreignLookup',
])

/**
 * Connected steps, and steps that share a store, run in one task: they are a sub-topology. Repartitions are where the
 * graph falls apart, since nothing connects their write to their read.
 */
export function cut(steps: readonly Step[], stores: ReadonlyMap<string, StoreSpec>): SubTopology[] {
  const parent = new Map<Step, Step>(steps.map((step) => [step, step]))
  const root = (step: Step): Step => {
    let at = step
    for (let up = parent.get(at) as Step; up !== at; up = parent.get(at) as Step) at = up
    return at
  }
  const join = (a: Step, b: Step) => parent.set(root(b), root(a))
  const holders = new Map<string, Step>()
  for (const step of steps) {
    for (const input of step.inputs) join(input, step)
    for (const name of storesOf(step)) {
      const holder = holders.get(name)
      if (holder) join(holder, step)
      else holders.set(name, step)
    }
  }
  const groups = new Map<Step, Step[]>()
  for (const step of steps) {
    const group = groups.get(root(step))
    if (group) group.push(step)
    else groups.set(root(step), [step])
  }
  return [...groups.values()].map((group, id) => {
    for (const step of group) step.sub = id
    const names = new Set(group.flatMap(storesOf))
    const inputs = group.filter((step) => step.op.kind === 'source' || step.op.kind === 'repartitionRead')
    return {
      id,
      name: inputs.map((step) => step.name).join('+'),
      steps: group,
      inputs,
      stores: [...names].map((name) => stores.get(name) as StoreSpec),
      inputsMeet: group.some((step) => meeting.has(step.op.kind) && inputsBehind(step).size > 1) || sharing(group),
    }
  })
}

/** Steps behind different inputs use one store. */
function sharing(group: readonly Step[]): boolean {
  const behind = new Map<string, Set<Step>>()
  for (const step of group) {
    for (const name of storesOf(step)) {
      const found = inputsBehind(step, behind.get(name))
      if (found.size > 1) return true
      behind.set(name, found)
    }
  }
  return false
}

function inputsBehind(step: Step, found = new Set<Step>()): Set<Step> {
  // global tables are read as far as can be, whatever the time
  if (step.inputs.length === 0 && !(step.op.kind === 'source' && step.op.global)) found.add(step)
  for (const input of step.inputs) inputsBehind(input, found)
  return found
}
