import type { StoreSpec } from '../../dsl/plan/index.ts'
import { MemoryBackend } from '../../state/backends/index.ts'
import { storesOf } from '../plan/cut.ts'
import type { PhysicalPlan, Step } from '../plan/physical.ts'
import { TaskGroup } from '../runtime/tasks/group.ts'
import type { Host } from '../runtime/host.ts'
import { windowsBehind } from './former-times.ts'
import { storeAccess } from '../runtime/steps/store-access.ts'
import { Outputs } from '../runtime/outputs.ts'
import type { Table, TaskStores } from '../runtime/steps/stores.ts'

/**
 * What becomes of a store's rows where the number of partitions changes.
 *
 * - `keyed`: a row goes where its key goes
 * - `pairs`: likewise; its key is the first part of the row's
 * - `requests`: numbered in each task; the key is in the row
 * - `copied`: each task has all rows
 * - `first`: the first task has all rows; those of others are copies
 * - `highest`, `lowest`: a number for each key; all tasks get the highest or lowest of what tasks had
 */
export type Role = 'keyed' | 'pairs' | 'requests' | 'copied' | 'first' | 'highest' | 'lowest'

export interface StoreOfTask {
  readonly sub: number
  readonly table: Table
  readonly role: Role
  /** Its keys are windowed so often: records lie where the inner key goes. */
  readonly windowed: number
}

/**
 * The stores of each sub-topology as its tasks open them, by name: a task of each is made on an empty database, so that
 * what operators keep is told by the operators alone.
 */
export function layoutsOf(plan: PhysicalPlan): Map<string, StoreOfTask> {
  const ids = plan.subs.map(({ id }) => ({ sub: id, partition: 0 }))
  const group = new TaskGroup(plan, new Array<number>(plan.subs.length).fill(1), ids, emptyHost(), 1)
  const found = new Map<string, StoreOfTask>()
  try {
    for (const sub of plan.subs) {
      const stores = group.stores.get(`${sub.id}_0`) as TaskStores
      for (const spec of sub.stores) open(stores, spec, sub.steps)
      for (const [name, table] of stores.tables) {
        const owner = ownerOf(name, sub.steps)
        const windowed = owner?.inputs[0] === undefined ? 0 : windowsBehind(owner.inputs[0])
        found.set(name, { sub: sub.id, table, role: roleOf(name, owner), windowed })
      }
    }
  } finally {
    group.close()
  }
  return found
}

/** Stores that user code opens when it first asks for them. */
function open(stores: TaskStores, spec: StoreSpec, steps: readonly Step[]): void {
  if (stores.tables.has(spec.name)) return
  storeAccess(
    stores,
    spec,
    steps.find(({ op }) => 'store' in op && op.store?.name === spec.name),
    () => 0,
  )
}

/** The step that keeps it: the one with the longest name of those that its name begins with. */
function ownerOf(name: string, steps: readonly Step[]): Step | undefined {
  let owner: Step | undefined
  let length = -1
  for (const step of steps) {
    const node = 'node' in step.op ? [step.op.node.name, step.op.node.store?.name] : []
    for (const own of [...storesOf(step), step.name, ...node]) {
      if (own === undefined || own.length <= length || (name !== own && !name.startsWith(`${own}.`))) continue
      owner = step
      length = own.length
    }
  }
  return owner
}

function roleOf(name: string, owner: Step | undefined): Role {
  const op = owner?.op
  if (op === undefined) return 'keyed'
  if (op.kind === 'broadcast') return 'copied'
  if (op.kind === 'source' && op.global) return 'first'
  const part = name.slice(name.lastIndexOf('.') + 1)
  if (op.kind === 'process' && name.startsWith(`${owner?.name}.`) && part.endsWith('timers')) return 'pairs'
  if (op.kind === 'deduplicate') return 'pairs'
  if (op.kind === 'mapAsync') return 'requests'
  if (op.kind === 'foreignSend' && part === 'numbers') return 'highest'
  return op.kind === 'foreignJoin' && part === 'told' ? 'lowest' : 'keyed'
}

function emptyHost(): Host {
  const none = (): never => {
    throw new Error('nothing runs here')
  }
  let id = 1
  return {
    reader: new MemoryBackend(),
    outputs: new Outputs(() => 1),
    storeId: () => id++,
    partitionsOf: () => 1,
    topics: () => [],
    fetch: () => undefined,
    behind: () => false,
    startOffset: () => 0,
    now: () => 0,
    onUserError: none,
    onDataError: none,
    deadLetter: none,
    deadLetterRaw: none,
    options: {
      careful: false,
      strict: false,
      codegen: false,
      cacheBytes: 1 << 20,
      maxTimestampAhead: 0,
      maxTaskIdle: 0,
      emptyIdle: 0,
      batchSize: 1,
    },
  }
}
