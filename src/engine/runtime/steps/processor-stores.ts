import { DhaaraError } from '../../../errors/index.ts'
import { deepFreeze } from '../../../state/codec/index.ts'
import type { ProcessServices } from '../../operators/process/process-services.ts'
import type { Step } from '../../plan/physical.ts'
import type { CurrentRecord } from '../record.ts'
import { storeAccess } from './store-access.ts'
import type { TaskStores } from './stores.ts'
import type { UserCode } from './user-code.ts'

interface Processing {
  readonly stores: TaskStores
  readonly code: UserCode
  readonly rec: CurrentRecord
  /** Freeze what user code must not change. */
  readonly strict: boolean
}

/**
 * Stores as a step's processor may use them. It may ask with each record, so that each is made once; and its own ones at once, since
 * others may ask for their rows before it does.
 */
export function processorStores(step: Step, listed: readonly string[], parts: Processing): ProcessServices['store'] {
  const made = new Map<string, unknown>()
  for (const name of listed)
    if (parts.code.ownerOf(name) === undefined && parts.stores.spec(name) !== undefined)
      made.set(name, access(name, listed, step, parts))
  return (handle) => {
    const name = typeof handle === 'string' ? handle : handle.name
    let store = made.get(name)
    if (store === undefined) made.set(name, (store = access(name, listed, step, parts)))
    return store
  }
}

function access(
  name: string,
  listed: readonly string[],
  step: Step,
  { stores, code, rec, strict }: Processing,
): unknown {
  const spec = stores.spec(name)
  const owner = code.ownerOf(name)
  if (spec === undefined || !listed.includes(name)) {
    const known = listed.length === 0 ? 'it lists none' : `it lists ${listed.join(', ')}`
    throw new DhaaraError(
      'DHAARA_STORE_UNKNOWN',
      `step '${step.name}' asks for the store '${name}', which it does not list in {stores} (${known})`,
      { step: step.name },
    )
  }
  return storeAccess(stores, spec, owner, () => rec.ts, {
    show: strict ? deepFreeze : undefined,
    keep: code.copyFor(step),
  })
}
