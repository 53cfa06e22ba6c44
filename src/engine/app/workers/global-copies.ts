import type { Backend } from '../../../state/backend.ts'
import { decodeValue, encodeValue } from '../../../state/codec/index.ts'
import { after, statePrefix } from '../../../state/stores/index.ts'
import type { PhysicalPlan, SubTopology } from '../../plan/physical.ts'
import { globalSteps, globalStores, rowNames } from '../../runtime/steps/global-tables.ts'
import type { TaskMeta } from '../../runtime/tasks/task-meta.ts'
import { TASKS } from '../../runtime/tasks/task-rows.ts'
import type { StoreIds } from '../state/identity.ts'

const BATCH_BYTES = 4 << 20

/**
 * Gives each worker a copy of the global tables that its tasks join with, where there were fewer workers before: the first task's,
 * as far as that has read. A topic that was trimmed meanwhile could not be read anew. Worker w has the tasks of the partitions
 * w, w + workers, …, the first of which keeps the copy.
 *
 * Before any task runs. Done again, or from where it was cut off, it comes to the same.
 */
export function placeCopies(
  plan: PhysicalPlan,
  partitions: readonly number[],
  workers: number,
  backend: Backend,
  ids: StoreIds,
): void {
  const tasks = ids.find(TASKS)
  if (tasks === undefined) return
  for (const sub of plan.subs) {
    const steps = new Set(globalSteps(sub))
    if (steps.size === 0) continue
    const metaKey = (partition: number) => Buffer.concat([statePrefix(tasks, partition), Buffer.from(sub.name)])
    const metaOf = (partition: number): TaskMeta | undefined => {
      const row = backend.get(metaKey(partition))
      return row === undefined ? undefined : (decodeValue(row) as TaskMeta)
    }
    const first = metaOf(0)
    const read = first?.positions.filter(([step]) => steps.has(step)) ?? []
    if (first === undefined || read.length === 0) continue
    const keepers = Math.min(workers, partitions[sub.id] as number)
    for (let partition = 1; partition < keepers; partition++) {
      const meta = metaOf(partition)
      if (meta === undefined || meta.positions.some(([step]) => steps.has(step))) continue
      copyRows(backend, ids, sub, partition)
      // last: what is cut off before is not there, and is copied again
      const batch = backend.batch()
      batch.put(metaKey(partition), encodeValue(withCopy(meta, first, read, sub, steps)))
      batch.commit()
    }
  }
}

function copyRows(backend: Backend, ids: StoreIds, sub: SubTopology, partition: number): void {
  const batch = backend.batch()
  for (const name of globalStores(sub).flatMap(rowNames)) {
    const id = ids.find(name)
    if (id === undefined) continue
    const from = statePrefix(id, 0)
    const to = statePrefix(id, partition)
    backend.clearRange(to, after(to))
    for (const [key, value] of backend.range({ gte: from, lt: after(from) })) {
      batch.put(Buffer.concat([to, key.subarray(from.length)]), value)
      if (batch.bytes > BATCH_BYTES) batch.commit()
    }
  }
  batch.commit()
}

function withCopy(
  meta: TaskMeta,
  first: TaskMeta,
  read: TaskMeta['positions'],
  sub: SubTopology,
  steps: ReadonlySet<string>,
): TaskMeta {
  const isGlobal = ([feed]: readonly [string, unknown]) => steps.has(feed.slice(0, feed.indexOf('|')))
  const counts = globalStores(sub).flatMap(({ name }) => {
    const rows = first.rows?.[name]
    return rows === undefined ? [] : [[name, rows] as const]
  })
  return {
    ...meta,
    positions: [...meta.positions, ...read],
    times: { ...meta.times, ...Object.fromEntries(Object.entries(first.times).filter(isGlobal)) },
    rows: { ...meta.rows, ...Object.fromEntries(counts) },
  }
}
