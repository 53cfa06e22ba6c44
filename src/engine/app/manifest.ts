import type { StoreSpec } from '../../dsl/plan/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import { decodeValue, encodeValue } from '../../state/codec/index.ts'
import type { Backend } from '../../state/backend.ts'
import { STATE_SPACE } from '../../state/stores/index.ts'
import type { PhysicalPlan } from '../plan/physical.ts'
import { newName, renameState, dropStores } from './rename-state.ts'
import { keepsPanes } from '../runtime/windowed.ts'

/** What a topology's state looks like: lies beside the state, and is compared before the state is touched. */
export interface Manifest {
  readonly version: 1
  readonly stores: Readonly<Record<string, StoreShape>>
}

interface StoreShape {
  readonly kind: StoreSpec['kind']
  readonly key: number | null
  readonly value: number | null
  /** Windows of the step that owns the store. */
  readonly windows: string | null
  /** It keeps panes, and not windows. */
  readonly panes?: true
}

const keyOf = (app: string): Buffer => Buffer.concat([Buffer.of(STATE_SPACE, 0xff, 0xfe), Buffer.from(app)])

export interface Evolution {
  /** Old step or store name -> new one. */
  readonly renames?: Readonly<Record<string, string>> | undefined
  /** State that no step has any more is dropped. */
  readonly allowNonRestoredState?: boolean | undefined
}

/**
 * Holds the plan to the state that lies there, and takes the state along: renames it, drops what nothing restores.
 * @throws DhaaraError DHAARA_STATE_INCOMPATIBLE: what changed, and the ways out. Nothing was touched then
 */
export function evolve(backend: Backend, app: string, plan: PhysicalPlan, evolution: Evolution = {}): void {
  const { renames = {}, allowNonRestoredState = false } = evolution
  const bytes = backend.get(keyOf(app))
  if (bytes === undefined) return
  const old = renamed(decodeValue(bytes) as Manifest, renames)
  const gone = Object.keys(old.stores).filter((name) => !plan.stores.has(name))
  holdToManifest(`the state of '${app}'`, old, plan, allowNonRestoredState ? gone : [])
  renameState(backend, app, renames)
  if (gone.length > 0) dropStores(backend, app, gone)
}

/** Stores whose names begin with a renamed one (`orders.timers`) go along. */
function renamed(manifest: Manifest, renames: Readonly<Record<string, string>>): Manifest {
  const stores = Object.entries(manifest.stores).map(([name, shape]) => [newName(name, renames), shape] as const)
  return { ...manifest, stores: Object.fromEntries(stores) }
}

/**
 * @param dropped stores that may be gone
 * @throws DhaaraError DHAARA_STATE_INCOMPATIBLE
 */
export function holdToManifest(what: string, old: Manifest, plan: PhysicalPlan, dropped: readonly string[] = []): void {
  const now = manifestOf(plan)
  const changes: string[] = []
  for (const [name, was] of Object.entries(old.stores)) {
    const is = now.stores[name]
    if (is === undefined) {
      if (!dropped.includes(name)) changes.push(`store '${name}' (${was.kind}) is gone`)
    } else if (is.kind !== was.kind) changes.push(`store '${name}' was ${was.kind} and is ${is.kind}`)
    else if (is.windows !== was.windows) changes.push(`windows of '${name}' were ${was.windows} and are ${is.windows}`)
    else if (is.panes !== was.panes)
      changes.push(
        `'${name}' kept ${layout(was)} and keeps ${layout(is)}: emission, aggregate or what follows it changed`,
      )
    else if (is.key !== was.key) changes.push(`the key serde of '${name}' was ${text(was.key)} and is ${text(is.key)}`)
    else if (is.value !== was.value && !migrates(plan.stores.get(name)?.value, was.value))
      changes.push(`the value serde of '${name}' was ${text(was.value)} and is ${text(is.value)}`)
  }
  if (changes.length === 0) return
  throw new DhaaraError(
    'DHAARA_STATE_INCOMPATIBLE',
    `${what} was written by another topology: ${changes.join('; ')}. Give the step its old name back or say {renames: {old: new}}, drop what is gone with {allowNonRestoredState: true}, start from a savepoint or with another applicationId, or drop all state: dhaara reset`,
  )
}

export function writeManifest(backend: Backend, app: string, plan: PhysicalPlan): void {
  putManifest(backend, app, manifestOf(plan))
}

export function putManifest(backend: Backend, app: string, manifest: Manifest): void {
  const batch = backend.batch()
  batch.put(keyOf(app), encodeValue(manifest))
  batch.commit()
}

/** undefined: the app has no state. */
export function savedManifest(backend: Backend, app: string): Manifest | undefined {
  const bytes = backend.get(keyOf(app))
  return bytes === undefined ? undefined : (decodeValue(bytes) as Manifest)
}

/** Lets any topology take the app's name. Its state must be gone. */
export function forgetManifest(backend: Backend, app: string): void {
  const batch = backend.batch()
  batch.delete(keyOf(app))
  batch.commit()
}

export function manifestOf(plan: PhysicalPlan): Manifest {
  const stores: Record<string, StoreShape> = {}
  for (const [name, spec] of plan.stores) {
    const owner = plan.steps.find(({ op }) => 'store' in op && op.store?.name === name)
    const windows =
      owner?.op.kind === 'aggregate' && owner.op.windows !== undefined ? JSON.stringify(owner.op.windows) : null
    const version = (serde: StoreSpec['key']) => (serde === undefined ? null : (serde.version ?? 0))
    const panes = owner !== undefined && keepsPanes(owner) ? { panes: true as const } : {}
    stores[name] = { kind: spec.kind, key: version(spec.key), value: version(spec.value), windows, ...panes }
  }
  return { version: 1, stores }
}

/** Rows of an older version of a serde are migrated as they are read. */
const migrates = (serde: StoreSpec['value'], was: number | null): boolean =>
  was !== null && serde?.migrate !== undefined && (serde.version ?? 0) > was

const layout = ({ panes }: StoreShape): string => (panes ? 'panes' : 'windows')

const text = (version: number | null): string =>
  version === null ? 'the typed codec' : `a serde of version ${version}`
