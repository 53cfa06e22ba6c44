import type { BackendReader } from '../../state/backend.ts'
import { after, statePrefix } from '../../state/stores/index.ts'
import type { PhysicalPlan, Repartition, Step, SubTopology } from '../plan/physical.ts'
import { formerOf } from '../time/former.ts'
import { type ChannelCodec, channelCodec } from '../runtime/channels/channel-codec.ts'
import { FrameSeries } from '../runtime/channels/frame-series.ts'
import { type InFlight, readInFlight } from '../runtime/channels/in-flight.ts'
import { adopted, savedMeta, type TaskMeta } from '../runtime/tasks/task-meta.ts'
import { type Placement, spread } from './placement.ts'

/** Where topics begin, end, and how many partitions they have. */
export interface Topics {
  partitionsOf(topic: string): number
  startOffset(topic: string, partition: number): number
  endOffset(topic: string, partition: number): number
  /** Those that a source reads. */
  read(step: Step): readonly string[]
}

/**
 * Where inputs go on: at the saved positions, or at what the topics hold now. `keep` takes a topic with another number of partitions
 * for another topic, which is read from its start; `grown` for the same one, whose new partitions are.
 */
export type Positions = 'keep' | 'grown' | 'start' | 'end'

/**
 * What was written of a sub-topology's tasks, by partition; of another version of the topology, what its inputs had.
 *
 * @param most partitions that have a row of any task
 * @param before how many tasks it had, where that is known: the last ones may have ended no epoch
 */
export function metasOf(
  reader: BackendReader,
  tasks: number,
  sub: SubTopology,
  most: number,
  before: number | undefined,
): (TaskMeta | undefined)[] {
  const metas: (TaskMeta | undefined)[] = []
  for (let partition = 0; partition < most; partition++) {
    const prefix = statePrefix(tasks, partition)
    const row = reader.get(Buffer.concat([prefix, Buffer.from(sub.name)]))
    metas.push(row === undefined ? adopted(reader, prefix, sub) : savedMeta(reader, prefix, sub.name, row))
  }
  while (metas.length > 0 && metas.at(-1) === undefined) metas.pop()
  if (metas.length > 0) while (metas.length < (before ?? 0)) metas.push(undefined)
  return metas
}

/** Partitions that have a row of any task. */
export function mostPartitions(reader: BackendReader, tasks: number): number {
  const start = statePrefix(tasks, 0).subarray(0, 3)
  for (const [key] of reader.range({ gte: start, lt: after(start), reverse: true, limit: 1 }))
    return (((key[3] as number) << 8) | (key[4] as number)) + 1
  return 0
}

type Times = TaskMeta['times']
type Time = Times[string]

/** The earliest of what tasks knew: nothing becomes late that was not. Idle ones had held nobody up. */
function earliest(times: readonly Time[]): Time | undefined {
  const live = times.filter(({ idle }) => !idle)
  const counted = live.length === 0 ? times : live
  if (counted.length === 0) return undefined
  return {
    w: Math.min(...counted.map(({ w }) => w)),
    max: Math.min(...counted.map(({ max }) => max)),
    idle: live.length === 0,
  }
}

/** What the tasks of a sub-topology go on from, where there are another number of them, or of those upstream. */
export class MetaMover {
  private readonly plan: PhysicalPlan
  private readonly sub: SubTopology
  private readonly all: readonly (TaskMeta | undefined)[]
  private readonly olds: readonly TaskMeta[]
  private readonly counts: readonly number[]
  private readonly place: Placement
  private readonly topics: Topics
  private readonly positions: Positions

  constructor(
    plan: PhysicalPlan,
    sub: SubTopology,
    all: readonly (TaskMeta | undefined)[],
    counts: readonly number[],
    place: Placement,
    topics: Topics,
    positions: Positions,
  ) {
    this.plan = plan
    this.sub = sub
    this.all = all
    this.olds = all.filter((one) => one !== undefined)
    this.counts = counts
    this.place = place
    this.topics = topics
    this.positions = positions
  }

  /** By new partition. */
  moved(): TaskMeta[] {
    const { olds, sub } = this
    const count = this.counts[sub.id] as number
    const times = this.times()
    const inFlight = this.inFlight(times, count)
    const first = olds[0] as TaskMeta
    const of = (pick: (clock: TaskMeta['clock']) => number) => olds.map(({ clock }) => pick(clock))
    const clock = {
      w: Math.min(...of(({ w }) => w)),
      streamTime: Math.max(...of(({ streamTime }) => streamTime)),
      wall: Math.max(...of(({ wall }) => wall ?? Number.NEGATIVE_INFINITY)),
      former: formerOf(
        this.all.map((meta) => meta?.clock.w ?? Number.NEGATIVE_INFINITY),
        olds.flatMap((meta) => meta.clock.former ?? []),
      ),
    }
    return Array.from({ length: count }, (_, partition) => ({
      ...first,
      positions: this.positionsAt(partition),
      sources: olds.flatMap(({ sources }) => (sources ?? []).filter(([, of]) => of === partition)),
      clock,
      times,
      finished: olds.every(({ finished }) => finished),
      inFlight: inFlight[partition] as InFlight[],
    }))
  }

  private times(): Times {
    const times: Record<string, Time> = {}
    const all = this.olds.flatMap((meta) => Object.entries(meta.times))
    const put = (feed: string, from: (name: string) => boolean) => {
      const found = earliest(all.filter(([name]) => from(name)).map(([, time]) => time))
      if (found !== undefined) times[feed] = found
    }
    for (const step of this.sub.inputs) {
      const { op, name } = step
      if (op.kind === 'repartitionRead') {
        const start = `${op.repartition.name}|`
        for (const producer of this.producers(op.repartition))
          put(`${start}${producer}`, (feed) => feed.startsWith(start))
      } else {
        for (const feed of new Set(all.map(([feed]) => feed)))
          if (feed === name || feed.startsWith(`${name}|`)) put(feed, (other) => other === feed)
      }
    }
    return times
  }

  private producers({ id, local }: Repartition): number[] {
    if (local) return Array.from({ length: this.counts[this.sub.id] as number }, (_, p) => p)
    const found = new Set<number>()
    for (const { op, sub } of this.plan.steps) {
      if (op.kind !== 'repartitionWrite' || op.repartition.id !== id) continue
      for (let p = 0; p < (this.counts[sub] as number); p++) found.add(p)
    }
    return [...found]
  }

  private positionsAt(partition: number): TaskMeta['positions'] {
    const { topics, positions, olds } = this
    return this.sub.inputs.flatMap((step) => {
      const { op, name } = step
      if (op.kind !== 'source') return []
      return topics.read(step).flatMap((topic) => {
        const count = topics.partitionsOf(topic)
        const saved = new Map<number, number>()
        for (const meta of olds)
          for (const [from, at, p, offset] of meta.positions)
            if (from === name && at === topic && !saved.has(p)) saved.set(p, offset)
        // never read: the source's own choice of where to begin
        if (saved.size === 0) return []
        // the first task keeps the copy of a global table; others begin with that one, or anew
        const whole = partition === 0 ? Array.from({ length: count }, (_, p) => p) : []
        const mine = op.global ? whole : partition < count ? [partition] : []
        const keeps = positions === 'keep' ? saved.size === count : positions === 'grown' && saved.size <= count
        return mine.map((p) => {
          const other = positions === 'end' ? topics.endOffset(topic, p) : topics.startOffset(topic, p)
          return [name, topic, p, keeps ? (saved.get(p) ?? other) : other] as const
        })
      })
    })
  }

  private inFlight(times: Times, count: number): InFlight[][] {
    const writers = Array.from({ length: count }, () => new Map<string, FrameSeries>())
    for (const step of this.sub.inputs) {
      if (step.op.kind !== 'repartitionRead') continue
      const { repartition } = step.op
      const codec = channelCodec(repartition)
      for (const [partition, { inFlight }] of this.olds.entries()) {
        // each task has all of a broadcast
        if (repartition.broadcast && partition > 0) break
        for (const one of inFlight) {
          const { feed } = one
          const at = feed.lastIndexOf('|')
          if (feed.slice(0, at) !== repartition.name) continue
          this.resend(one, codec, repartition, Number(feed.slice(at + 1)), writers, times)
        }
      }
    }
    return writers.map((feeds) => Array.from(feeds, ([feed, series]) => ({ feed, base: 0, frames: series.end() })))
  }

  private resend(
    one: InFlight,
    codec: ChannelCodec,
    repartition: Repartition,
    producer: number,
    writers: readonly Map<string, FrameSeries>[],
    times: Times,
  ): void {
    const producers = this.producers(repartition)
    const targetOf = spread(repartition)
    readInFlight(one, codec, {
      push: (key, value, old, ts, _, headers, place, origin) => {
        const all = repartition.broadcast
        const to = repartition.local ? this.here(key, producer) : targetOf(value ?? old, key, writers.length)
        for (const partition of all ? writers.keys() : [to]) {
          const from = repartition.local ? partition : (producers[producer % producers.length] as number)
          const feed = `${repartition.name}|${from}`
          const feeds = writers[partition] as Map<string, FrameSeries>
          let series = feeds.get(feed)
          if (series === undefined) feeds.set(feed, (series = new FrameSeries(codec)))
          series.add(key, value, old, ts, times[feed]?.w ?? Number.NEGATIVE_INFINITY, headers, place, origin)
        }
      },
    })
  }

  private here(key: unknown, producer: number): number {
    const count = this.counts[this.sub.id] as number
    return key === null || key === undefined ? producer % count : this.place(key, count)
  }
}
