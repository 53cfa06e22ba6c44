/**
 * State that was written by tasks of other partitions: rows go where their keys go now, records in flight are sent again,
 * time stands where the earliest task stood, and inputs go on where they were.
 *
 *     partitions      before        0: a c e        1: b d
 *                     after         0: c    1: a d    2: b e
 *
 * All is written under numbers that nobody knows yet, then becomes the app's state in one batch.
 */
import type { Backend, WriteBatch } from '../../state/backend.ts'
import { encodeValue } from '../../state/codec/index.ts'
import { after, STATE_SPACE, statePrefix } from '../../state/stores/index.ts'
import type { ReadableLog } from '../../connectors/broker/log.ts'
import { StoreIds } from '../app/state/identity.ts'
import { outboxSuffix } from '../connect/outbox-rows.ts'
import type { PhysicalPlan, SubTopology } from '../plan/physical.ts'
import { TASKS } from '../runtime/tasks/task-rows.ts'
import { putRows, shares } from '../runtime/tasks/in-flight-rows.ts'
import type { TaskMeta } from '../runtime/tasks/task-meta.ts'
import { topicsOf } from '../runtime/inputs/topics.ts'
import { layoutsOf, type StoreOfTask } from './layouts.ts'
import { MetaMover, metasOf, mostPartitions, type Positions, type Topics } from './metas.ts'
import { placementOf } from './placement.ts'
import { foreignTopic, immovable, RowMover } from './rows.ts'

export { layoutsOf } from './layouts.ts'
export type { Positions } from './metas.ts'

export interface Rescaling {
  readonly backend: Backend
  readonly app: string
  readonly plan: PhysicalPlan
  /** Of each sub-topology, now. */
  readonly partitions: readonly number[]
  readonly log: ReadableLog
  readonly positions: Positions
  /** Of each sub-topology, when the state was written; undefined: nobody knows. */
  readonly before: readonly (number | undefined)[]
  /** Adds to the batch that makes it so. */
  readonly finish: (batch: WriteBatch) => void
}

const ROWS_AT_ONCE = 10_000

/** @throws DhaaraError DHAARA_SAVEPOINT: what cannot move, and why; nothing has changed then */
export function rescale(given: Rescaling): void {
  const { backend, app, plan, partitions, log, positions, before, finish } = given
  const ids = new StoreIds(backend, app)
  const batch = backend.batch()
  const tasks = ids.find(TASKS)
  if (tasks === undefined) {
    finish(batch)
    batch.commit()
    return
  }
  const topics = topicsIn(log)
  const most = mostPartitions(backend, tasks)
  const olds = plan.subs.map((sub) => metasOf(backend, tasks, sub, most, before[sub.id]))
  for (const sub of plan.subs) holdToEnds(sub, olds[sub.id] as TaskMeta[], topics, positions)
  const changed = plan.subs.filter(({ id }) => (olds[id]?.length ?? 0) > 0 && olds[id]?.length !== partitions[id])
  if (changed.length === 0 && positions === 'keep') {
    finish(batch)
    batch.commit()
    return
  }
  const fresh = new Map<string, number>()
  const write = new Writing(backend)
  const moving = new Set(changed.map(({ id }) => id))
  if (changed.length > 0) {
    const layouts = layoutsOf(plan)
    for (const [name, id] of ids.all()) {
      // what waits for a sink stays under the task that it is of
      if (name === TASKS || name.endsWith(outboxSuffix)) continue
      const store = layouts.get(name)
      if (store === undefined) {
        for (const _ of rowsOf(backend, id)) throw immovable(name, 'no step of the topology has it')
        continue
      }
      if (!moving.has(store.sub)) continue
      const to = write.begin(ids.fresh())
      fresh.set(name, to)
      moveStore(given, name, store, id, to, olds[store.sub]?.length ?? 0, write)
    }
  }
  const to = write.begin(ids.fresh())
  fresh.set(TASKS, to)
  for (const sub of plan.subs) {
    const metas = olds[sub.id] as (TaskMeta | undefined)[]
    if (metas.length === 0) continue
    const place = placementOf(plan, sub)
    const moved = new MetaMover(plan, sub, metas, partitions, place, topics, positions).moved()
    for (const [partition, meta] of moved.entries()) {
      const prefix = statePrefix(to, partition)
      const [inFlight = [], ...held] = shares(meta.inFlight)
      write.put(Buffer.concat([prefix, Buffer.from(sub.name)]), encodeValue({ ...meta, inFlight }))
      putRows(write, 'held', prefix, sub.name, held)
    }
  }
  write.flush()
  const old = [...fresh.keys()].map((name) => ids.find(name) as number)
  ids.swap(fresh, batch)
  finish(batch)
  batch.commit({ sync: true })
  for (const id of old) backend.clearRange(storeStart(id), after(storeStart(id)))
}

function moveStore(
  { backend, plan, partitions }: Rescaling,
  name: string,
  store: StoreOfTask,
  id: number,
  to: number,
  from: number,
  write: Writing,
): void {
  const place = placementOf(plan, plan.subs[store.sub] as SubTopology)
  const mover = new RowMover(name, store, place, from, partitions[store.sub] as number)
  for (const [row, value] of rowsOf(backend, id)) {
    const partition = ((row[3] as number) << 8) | (row[4] as number)
    for (const moved of mover.move(partition, row.subarray(5), value))
      write.put(Buffer.concat([statePrefix(to, moved.to), moved.key]), moved.value)
  }
  for (const moved of mover.rest()) write.put(Buffer.concat([statePrefix(to, moved.to), moved.key]), moved.value)
}

/** Batches of rows under store numbers that are not in use. */
class Writing {
  private readonly backend: Backend
  private batch: WriteBatch

  constructor(backend: Backend) {
    this.backend = backend
    this.batch = backend.batch()
  }

  /** What an earlier attempt may have left goes. */
  begin(id: number): number {
    this.backend.clearRange(storeStart(id), after(storeStart(id)))
    return id
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.batch.put(key, value)
    if (this.batch.count >= ROWS_AT_ONCE) this.flush()
  }

  flush(): void {
    this.batch.commit()
    this.batch = this.backend.batch()
  }
}

const storeStart = (id: number): Buffer => Buffer.of(STATE_SPACE, id >> 8, id & 0xff)
const rowsOf = (backend: Backend, id: number) => backend.range({ gte: storeStart(id), lt: after(storeStart(id)) })

function topicsIn(log: ReadableLog): Topics {
  return {
    partitionsOf: (topic) => log.topic(topic)?.partitions ?? 0,
    startOffset: (topic, partition) => log.startOffset(topic, partition),
    endOffset: (topic, partition) => log.endOffset(topic, partition),
    read: ({ op }) =>
      op.kind === 'source'
        ? topicsOf(
            op,
            log.topics().map(({ name }) => name),
          )
        : [],
  }
}

/** A position behind the end of its topic is one of another topic: what comes would be skipped until it is reached. */
function holdToEnds(
  sub: SubTopology,
  metas: readonly (TaskMeta | undefined)[],
  topics: Topics,
  positions: Positions,
): void {
  if (positions === 'start' || positions === 'end') return
  const saved = metas.flatMap((meta) => meta?.positions ?? [])
  for (const step of sub.inputs) {
    for (const topic of topics.read(step)) {
      const count = topics.partitionsOf(topic)
      const mine = saved.filter(([name, at]) => name === step.name && at === topic)
      const known = new Set(mine.map(([, , p]) => p)).size
      if (positions === 'grown' ? known > count : known !== count) continue
      for (const [, , partition, offset] of mine) {
        const end = topics.endOffset(topic, partition)
        if (offset > end) throw foreignTopic(topic, partition, offset, end)
      }
    }
  }
}
