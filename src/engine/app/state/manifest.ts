import type { StoreSpec } from '../../../dsl/plan/index.ts'
import { DhaaraError } from '../../../errors/index.ts'
import type { ReadableLog } from '../../../connectors/broker/log.ts'
import { decodeValue, encodeValue } from '../../../state/codec/index.ts'
import type { Backend, WriteBatch } from '../../../state/backend.ts'
import { after, STATE_SPACE, statePrefix } from '../../../state/stores/index.ts'
import type { PhysicalPlan } from '../../plan/physical.ts'
import { type Positions, rescale } from '../../rescale/index.ts'
import { TASKS } from '../../runtime/tasks/task-rows.ts'
import { taskRowOf } from '../../runtime/tasks/in-flight-rows.ts'
import type { TaskMeta } from '../../runtime/tasks/task-meta.ts'
import { StoreIds } from './identity.ts'
import { newName, renameState, dropStores } from './rename-state.ts'
import { keepsPanes } from '../../runtime/steps/windowed.ts'

/** What a topology's state looks like: lies beside the state, and is compared before the state is touched. */
export interface Manifest {
  readonly version: 1
  readonly stores: Readonly<Record<string, StoreShape>>
  /** Absent where it was written before they were told. */
  readonly repartitions?: Readonly<Record<string, RepartitionShape>>
  /** A savepoint was put in the place of state, and no app has started on it yet. */
  readonly restored?: { readonly positions: Positions }
}

interface StoreShape {
  readonly kind: StoreSpec['kind']
  readonly key: number | null
  readonly value: number | null
  /** Windows of the step that owns the store. */
  readonly windows: string | null
  /** It keeps panes, and not windows. */
  readonly panes?: true
  /** Absent where partitions do not matter, or were not known. */
  readonly partitions?: number
}

/** What goes from task to task lies in the state too, as long as it is in flight. */
interface RepartitionShape {
  readonly key: number | null
  readonly value: number | null
  readonly partitions?: number
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
  const lost = allowNonRestoredState ? [] : inFlightTo(backend, app, gonePaths(old, plan))
  holdToManifest(`the state of '${app}'`, old, manifestOf(plan), plan, allowNonRestoredState ? gone : [], lost)
  renameState(backend, app, renames)
  if (gone.length > 0) dropStores(backend, app, gone)
}

/**
 * Holds the state to the number of partitions that there are now, and writes down what it looks like. A savepoint that was
 * put in its place is spread anew.
 *
 * @param partitions of each sub-topology
 * @throws DhaaraError DHAARA_STATE_INCOMPATIBLE, DHAARA_SAVEPOINT: nothing was touched then
 */
export function settle(
  backend: Backend,
  app: string,
  plan: PhysicalPlan,
  partitions: readonly number[],
  log: ReadableLog,
  renames: Readonly<Record<string, string>> = {},
): void {
  const old = savedManifest(backend, app)
  const now = manifestOf(plan, partitions)
  if (old?.restored !== undefined) {
    const { positions } = old.restored
    const finish = (batch: WriteBatch) => batch.put(keyOf(app), encodeValue(now))
    const before = partitionsIn(renamed(old, renames), plan)
    rescale({ backend, app, plan, partitions, log, positions, before, finish })
    return
  }
  if (old !== undefined)
    holdToManifest(`the state of '${app}'`, renamed(old, renames), now, plan, Object.keys(old.stores))
  putManifest(backend, app, now)
}

/** Stores and repartitions whose names begin with a renamed one (`orders.timers`) go along. */
function renamed(manifest: Manifest, renames: Readonly<Record<string, string>>): Manifest {
  const moved = <T>(all: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(all).map(([name, shape]) => [newName(name, renames), shape] as const))
  const { stores, repartitions } = manifest
  return {
    ...manifest,
    stores: moved(stores),
    ...(repartitions === undefined ? {} : { repartitions: moved(repartitions) }),
  }
}

const gonePaths = ({ repartitions = {} }: Manifest, plan: PhysicalPlan): string[] =>
  Object.keys(repartitions).filter((name) => !plan.repartitions.some((one) => one.name === name))

/** Repartitions that something is in flight to. */
function inFlightTo(backend: Backend, app: string, names: readonly string[]): string[] {
  const tasks = names.length === 0 ? undefined : new StoreIds(backend, app).find(TASKS)
  if (tasks === undefined) return []
  const start = statePrefix(tasks, 0).subarray(0, 3)
  const found = new Set<string>()
  for (const [key, row] of backend.range({ gte: start, lt: after(start) })) {
    const { inFlight } = taskRowOf(Buffer.from(key.subarray(start.length + 2)).toString())
    const all = inFlight ? (decodeValue(row) as TaskMeta['inFlight']) : (decodeValue(row) as TaskMeta).inFlight
    for (const { feed } of all) found.add(feed.slice(0, feed.lastIndexOf('|')))
  }
  return names.filter((name) => found.has(name))
}

/**
 * @param dropped stores that may be gone
 * @param lost repartitions that are gone, with records in flight
 * @throws DhaaraError DHAARA_STATE_INCOMPATIBLE
 */
export function holdToManifest(
  what: string,
  old: Manifest,
  now: Manifest,
  plan: PhysicalPlan,
  dropped: readonly string[] = [],
  lost: readonly string[] = [],
): void {
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
    else if (moved(was, is)) changes.push(`store '${name}' had ${parts(was)} and has ${is.partitions}`)
  }
  for (const [name, was] of Object.entries(old.repartitions ?? {})) {
    const is = now.repartitions?.[name]
    if (is === undefined) {
      if (lost.includes(name)) changes.push(`repartition '${name}' is gone, with records in flight`)
    } else if (is.key !== was.key)
      changes.push(`the key serde of repartition '${name}' was ${text(was.key)} and is ${text(is.key)}`)
    else if (is.value !== was.value)
      changes.push(`the value serde of repartition '${name}' was ${text(was.value)} and is ${text(is.value)}`)
    else if (moved(was, is)) changes.push(`repartition '${name}' had ${parts(was)} and has ${is.partitions}`)
  }
  if (changes.length === 0) return
  throw new DhaaraError(
    'DHAARA_STATE_INCOMPATIBLE',
    `${what} was written by another topology: ${changes.join('; ')}. Give the step its old name back or say {renames: {old: new}}, drop what is gone with {allowNonRestoredState: true}, start from a savepoint (dhaara savepoint create, reset, restore: it can be spread over other partitions) or with another applicationId, or drop all state: dhaara reset`,
  )
}

const moved = (was: { readonly partitions?: number }, is: { readonly partitions?: number }): boolean =>
  was.partitions !== undefined && is.partitions !== undefined && was.partitions !== is.partitions

const parts = ({ partitions }: { readonly partitions?: number }): string =>
  `${partitions} ${partitions === 1 ? 'partition' : 'partitions'}`

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

/** @param partitions of each sub-topology, where they are known */
export function manifestOf(plan: PhysicalPlan, partitions?: readonly number[]): Manifest {
  const stores: Record<string, StoreShape> = {}
  const version = (serde: StoreSpec['key']) => (serde === undefined ? null : (serde.version ?? 0))
  for (const [name, spec] of plan.stores) {
    const owner = plan.steps.find(({ op }) => 'store' in op && op.store?.name === name)
    const windows =
      owner?.op.kind === 'aggregate' && owner.op.windows !== undefined ? JSON.stringify(owner.op.windows) : null
    const panes = owner !== undefined && keepsPanes(owner) ? { panes: true as const } : {}
    const sub = plan.subs.find((one) => one.stores.includes(spec))
    const copied = owner?.op.kind === 'source' && owner.op.global
    const spread =
      sub === undefined || partitions === undefined || copied ? {} : { partitions: partitions[sub.id] as number }
    const serdes = { key: version(spec.key), value: version(spec.value) }
    stores[name] = { kind: spec.kind, ...serdes, windows, ...panes, ...spread }
  }
  const repartitions: Record<string, RepartitionShape> = {}
  for (const { id, name, key, value } of plan.repartitions) {
    const reader = plan.steps.find(({ op }) => op.kind === 'repartitionRead' && op.repartition.id === id)
    const count = reader === undefined ? undefined : partitions?.[reader.sub]
    const spread = count === undefined ? {} : { partitions: count }
    repartitions[name] = { key: version(key), value: version(value), ...spread }
  }
  return { version: 1, stores, repartitions }
}

/** How many tasks each sub-topology had; undefined: nothing there tells. */
function partitionsIn({ stores, repartitions = {} }: Manifest, plan: PhysicalPlan): (number | undefined)[] {
  return plan.subs.map((sub) => {
    const shapes = [
      ...sub.stores.map(({ name }) => stores[name]),
      ...sub.inputs.map(({ op }) => (op.kind === 'repartitionRead' ? repartitions[op.repartition.name] : undefined)),
    ]
    return shapes.find((shape) => shape?.partitions !== undefined)?.partitions
  })
}

/** Rows of an older version of a serde are migrated as they are read. */
const migrates = (serde: StoreSpec['value'], was: number | null): boolean =>
  was !== null && serde?.migrate !== undefined && (serde.version ?? 0) > was

const layout = ({ panes }: StoreShape): string => (panes ? 'panes' : 'windows')

const text = (version: number | null): string =>
  version === null ? 'the typed codec' : `a serde of version ${version}`
