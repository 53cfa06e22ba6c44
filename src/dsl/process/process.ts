import type { PlanDraft } from '../builder/draft.ts'
import { needFunction } from '../checks.ts'
import { type Handle, needHandle } from '../handle.ts'
import type { SerdeOptions } from '../options.ts'
import type { PlanNode } from '../plan/index.ts'
import { type StoreHandle, storeSpec, storeVault } from '../stores/index.ts'
import type { ProcessOptions } from './types.ts'

/** Names of the stores that a step asked for; handles of `stores.*` join the plan, a table's is there already. */
export function useStores(draft: PlanDraft, given: readonly (StoreHandle | string)[] = []): readonly string[] {
  return given.map((store) => {
    if (typeof store === 'string') return store
    const { spec, owned } = storeVault.open(store)
    if (!owned) draft.addStore(spec)
    return spec.name
  })
}

export function process(at: Handle, supplier: unknown, opts: ProcessOptions<any, any>, valuesOnly: boolean): PlanNode {
  const operation = valuesOnly ? 'processValues' : 'process'
  const fn = needFunction(supplier, operation)
  const stores = useStores(at.draft, opts.stores)
  const base = at.draft.step(operation, [at.node], opts.name)
  return at.draft.add({
    ...base,
    kind: 'process',
    table: false,
    key: opts.key ?? (valuesOnly ? at.node.key : undefined),
    value: opts.value,
    supplier: fn,
    stores,
    valuesOnly,
  })
}

export function broadcast(at: Handle, rules: unknown, fn: unknown, opts: SerdeOptions<any, any>): PlanNode {
  const { node } = needHandle(rules, 'withBroadcast', ['stream'])
  const checked = needFunction(fn, 'withBroadcast')
  const base = at.draft.step('withBroadcast', [at.node, node], opts.name)
  const rulesValue = opts.value ?? node.value
  return at.draft.add({
    ...base,
    kind: 'broadcast',
    table: false,
    key: at.node.key,
    fn: checked,
    rulesKey: opts.key ?? node.key,
    rulesValue,
    store: storeSpec(undefined, { step: base.name, value: rulesValue }),
  })
}
