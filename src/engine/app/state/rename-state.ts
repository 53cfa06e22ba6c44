import type { Backend } from '../../../state/backend.ts'
import { decodeValue, encodeValue } from '../../../state/codec/index.ts'
import { after, STATE_SPACE } from '../../../state/stores/index.ts'
import { taskRowOf } from '../../runtime/tasks/in-flight-rows.ts'
import type { TaskMeta } from '../../runtime/tasks/task-meta.ts'
import { StoreIds } from './identity.ts'

type Renames = Readonly<Record<string, string>>

/** Names of repartitions behind that of their step: of its second input, of asynchronous results, of foreign-key joins. */
const ownChannel = /^(-\d+)?-(repartition|results|rows|follows|answers)$/

/** What a step or store is called now; what belongs to it (`orders.timers`, `orders-repartition`) goes along. */
export function newName(name: string, renames: Renames): string {
  for (const [old, now] of Object.entries(renames)) {
    if (name === old) return now
    if (name.startsWith(`${old}.`) || (name.startsWith(old) && ownChannel.test(name.slice(old.length))))
      return now + name.slice(old.length)
  }
  return name
}

const storePrefix = (id: number): Buffer => Buffer.of(STATE_SPACE, id >> 8, id & 0xff)

/** Gives stores, inputs and what is in flight to them their new names. Done again, it changes nothing. */
export function renameState(backend: Backend, app: string, renames: Renames): void {
  if (Object.keys(renames).length === 0) return
  const ids = new StoreIds(backend, app)
  for (const name of ids.all().keys()) {
    const now = newName(name, renames)
    if (now !== name) ids.rename(name, now)
  }
  const tasks = ids.find('$tasks')
  if (tasks === undefined) return
  const prefix = storePrefix(tasks)
  const batch = backend.batch()
  for (const [key, row] of [...backend.range({ gte: prefix, lt: after(prefix) })]) {
    const name = Buffer.from(key.subarray(5)).toString()
    const { sub, inFlight: only } = taskRowOf(name)
    const now = sub
      .split('+')
      .map((input) => newName(input, renames))
      .join('+') // prettier-ignore
    const value = only
      ? inFlight(decodeValue(row) as TaskMeta['inFlight'], renames)
      : meta(decodeValue(row) as TaskMeta, renames)
    batch.delete(key)
    batch.put(Buffer.concat([key.subarray(0, 5), Buffer.from(now + name.slice(sub.length))]), encodeValue(value))
  }
  batch.commit()
}

function meta({ positions, sources, times, inFlight: waiting, ...rest }: TaskMeta, renames: Renames): TaskMeta {
  return {
    ...rest,
    positions: positions.map(([step, topic, partition, offset]) => [newName(step, renames), topic, partition, offset]),
    ...(sources && { sources: sources.map(([step, p, at]) => [newName(step, renames), p, at] as const) }),
    times: Object.fromEntries(Object.entries(times).map(([feed, time]) => [feedName(feed, renames), time])),
    inFlight: inFlight(waiting, renames),
  }
}

const inFlight = (all: TaskMeta['inFlight'], renames: Renames): TaskMeta['inFlight'] =>
  all.map((one) => ({ ...one, feed: feedName(one.feed, renames) }))

/** 'source|topic', or 'repartition|producer'. */
function feedName(feed: string, renames: Renames): string {
  const at = feed.lastIndexOf('|')
  return newName(feed.slice(0, at), renames) + feed.slice(at)
}

/** Rows and names of stores that no step has any more, and of what belongs to them. */
export function dropStores(backend: Backend, app: string, stores: readonly string[]): void {
  const ids = new StoreIds(backend, app)
  for (const [name, id] of ids.all()) {
    if (!stores.some((store) => name === store || name.startsWith(`${store}.`))) continue
    const prefix = storePrefix(id)
    backend.clearRange(prefix, after(prefix))
    ids.forget(name)
  }
}
