import { decodeValue } from '../../../state/codec/index.ts'
import type { BackendReader } from '../../../state/backend.ts'
import { after } from '../../../state/stores/index.ts'
import type { SubTopology } from '../../plan/physical.ts'
import type { SourcePosition } from '../../connect/chunk.ts'
import type { Former } from '../../time/former.ts'
import type { InFlight } from '../channels/in-flight.ts'
import { aheadOf } from './ahead-rows.ts'
import { inFlightRows, taskRowOf } from './in-flight-rows.ts'

/** What is written of a task with each epoch, besides its stores. */
export interface TaskMeta {
  readonly positions: readonly (readonly [step: string, topic: string, partition: number, offset: number])[]
  /** Of sources that are no topics. */
  readonly sources?: readonly (readonly [step: string, partition: number, position: SourcePosition])[]
  readonly clock: {
    readonly w: number
    readonly streamTime: number
    readonly wall?: number
    /** Of the tasks that keys were with before partitions changed, until W has passed theirs. */
    readonly former?: readonly Former[]
  }
  /** By feed. */
  readonly times: Readonly<Record<string, { readonly w: number; readonly max: number; readonly idle: boolean }>>
  /** All its inputs had ended, and its processors know; a later run may have more. */
  readonly finished: boolean
  /** Sent to this task and not processed: by feed, oldest first. */
  readonly inFlight: readonly InFlight[]
  /** Rows of stores, where they were counted from the first on. */
  readonly rows?: Readonly<Record<string, number>>
}

/** Of a task that has ended no epoch. */
export const unsealed: TaskMeta = {
  positions: [],
  clock: { w: Number.NEGATIVE_INFINITY, streamTime: Number.NEGATIVE_INFINITY },
  times: {},
  finished: false,
  inFlight: [],
}

/** A task's own row, and those of what was in flight to it beside that. @param prefix of the rows of all tasks of the partition */
export function savedMeta(reader: BackendReader, prefix: Buffer, sub: string, row: Uint8Array): TaskMeta {
  const meta = decodeValue(row) as TaskMeta
  const { inFlight } = meta
  const ahead = aheadOf(reader, prefix, sub, inFlight)
  return { ...meta, inFlight: [...ahead, ...inFlight, ...inFlightRows(reader, prefix, sub)] }
}

/**
 * Where a task goes on whose sub-topology has changed its inputs, and so its name: each input goes on where it was, whatever
 * sub-topology it belonged to. W is the highest of theirs: what was closed stays closed.
 *
 * @param prefix of the rows of all tasks of the partition
 */
export function adopted(reader: BackendReader, prefix: Buffer, sub: SubTopology): TaskMeta | undefined {
  const sources = new Set<string>()
  const repartitions: string[] = []
  for (const { op, name } of sub.inputs) {
    if (op.kind === 'repartitionRead') repartitions.push(`${op.repartition.name}|`)
    else sources.add(name)
  }
  const own = (feed: string) =>
    sources.has(feed) ||
    sources.has(feed.slice(0, feed.lastIndexOf('|'))) ||
    repartitions.some((start) => feed.startsWith(start))
  const found: TaskMeta[] = []
  for (const [key, row] of reader.range({ gte: prefix, lt: after(prefix) })) {
    const { sub: name, inFlight } = taskRowOf(Buffer.from(key.subarray(prefix.length)).toString())
    if (inFlight) continue
    const meta = savedMeta(reader, prefix, name, row)
    // of one that has ended no epoch, what was sent to it is all there is
    if ([...Object.keys(meta.times), ...meta.inFlight.map(({ feed }) => feed)].some(own)) found.push(meta)
  }
  if (found.length === 0) return undefined
  const highest = (of: (meta: TaskMeta) => number) => Math.max(...found.map(of))
  return {
    positions: found.flatMap(({ positions }) => positions.filter(([step]) => sources.has(step))),
    sources: found.flatMap(({ sources: own }) => (own ?? []).filter(([step]) => sources.has(step))),
    clock: {
      w: highest(({ clock }) => clock.w),
      streamTime: highest(({ clock }) => clock.streamTime),
      wall: highest(({ clock }) => clock.wall ?? Number.NEGATIVE_INFINITY),
      former: found.flatMap(({ clock }) => clock.former ?? []),
    },
    times: Object.assign({}, ...found.map(({ times }) => times)),
    finished: found.every(({ finished }) => finished),
    inFlight: found.flatMap(({ inFlight }) => inFlight.filter(({ feed }) => own(feed))),
  }
}

/** Rows of sub-topologies that the plan does not have any more. */
export function abandoned(reader: BackendReader, prefix: Buffer, subs: readonly SubTopology[]): Uint8Array[] {
  const names = new Set(subs.map(({ name }) => name))
  const gone: Uint8Array[] = []
  for (const [key] of reader.range({ gte: prefix, lt: after(prefix) }))
    if (!names.has(taskRowOf(Buffer.from(key.subarray(prefix.length)).toString()).sub)) gone.push(Buffer.from(key))
  return gone
}
