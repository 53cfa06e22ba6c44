import type { FetchedBatch } from '../../../connectors/broker/log.ts'
import type { AnySerde, OwnSourceSpec, SourceNode } from '../../../dsl/plan/index.ts'
import { isFast } from '../../../dsl/serdes/fast.ts'
import type { Linked } from '../../codegen/program.ts'
import { sourceStart } from '../../connect/chunk.ts'
import { OwnFeed } from '../../connect/source-feed.ts'
import { valueSerde } from '../../connect/value-serde.ts'
import type { TaskMeter } from '../../metrics/task-meter.ts'
import type { Step, SubTopology } from '../../plan/physical.ts'
import { waitedFor } from '../../plan/versioned.ts'
import type { InputTime, TaskTime } from '../../time/inputs.ts'
import type { Counters } from '../counters.ts'
import { type DecodePolicy, SourceDecoder } from './decode.ts'
import { EpochAborted, invalidAt } from '../failures/errors.ts'
import { ChannelFeed, type Feed, type Runs, TopicFeed, type TopicSource } from './feed.ts'
import type { Host, Refusal } from '../host.ts'
import type { TaskMeta } from '../tasks/task-meta.ts'
import { topicsOf } from './topics.ts'
import type { Wiring } from '../channels/wiring.ts'

/** Makes the feeds of tasks, each where it was read to when the state was written. */
export class TaskFeeds {
  private readonly host: Host
  private readonly counters: Counters
  private readonly wiring: Wiring

  constructor(host: Host, counters: Counters, wiring: Wiring) {
    this.host = host
    this.counters = counters
    this.wiring = wiring
  }

  /** @param keeps reads the global tables, for all tasks of the sub-topology in this thread */
  of(
    sub: SubTopology,
    partition: number,
    time: TaskTime,
    { inputs, timed }: Linked,
    meter: TaskMeter,
    saved: TaskMeta | undefined,
    keeps: boolean,
  ): Feed[] {
    const { host } = this
    const streams = sub.inputs.some((step) => !step.table)
    const waited = waitedFor(sub)
    const feeds: Feed[] = []
    for (const step of sub.inputs) {
      const { op } = step
      if (op.kind === 'source' && op.global && !keeps) continue
      const runs = { run: inputs[step.id] as Feed['run'], timed: timed[step.id] as Feed['run'] }
      const counted = !step.table || !streams || waited.has(step)
      if (op.kind === 'repartitionRead') {
        const { id, broadcast } = op.repartition
        const echo = this.wiring.leadsBack(id)
        for (const channel of this.wiring.incoming(id, partition))
          feeds.push(new ChannelFeed(step, time.add(counted && !broadcast), runs, channel, echo))
      } else if (op.kind === 'source' && op.own !== undefined) {
        if (host.openSource === undefined || partition < op.own.partitions)
          feeds.push(this.ownFeed(step, op, op.own, partition, time.add(counted, op.watermark), runs, meter, saved))
      } else if (op.kind === 'source') {
        for (const topic of topicsOf(op, this.host.topics())) {
          const count = this.host.partitionsOf(topic)
          const mine = op.global ? Array.from({ length: count }, (_, p) => p) : partition < count ? [partition] : []
          for (const p of mine)
            feeds.push(this.topicFeed(step, op, topic, p, time.add(counted, op.watermark), runs, meter, saved))
        }
      }
    }
    return feeds
  }

  private ownFeed(
    step: Step,
    op: SourceNode,
    own: OwnSourceSpec,
    partition: number,
    time: InputTime,
    runs: Runs,
    meter: TaskMeter,
    saved: TaskMeta | undefined,
  ): Feed {
    const { host } = this
    if (host.openSource === undefined)
      return this.topicFeed(step, withCodec(op), step.name, partition, time, runs, meter, saved)
    const start = saved?.sources?.find(([name, p]) => name === step.name && p === partition)?.[2] ?? sourceStart
    const reader = host.openSource(own, { name: step.name, partition }, start)
    const feed = new OwnFeed(step, time, runs, partition, start, reader, this.decodePolicy())
    feed.activeAt = host.now()
    return feed
  }

  private decodePolicy(refused?: ReadonlyMap<number, Refusal>): DecodePolicy {
    const { host } = this
    return {
      invalid: (error, source, batch, i) => {
        const action = host.onDataError(error, source, batch, i)
        if (action === 'fail' || action === 'retry') throw new EpochAborted(invalidAt(error, source, batch, i))
        if (action === 'deadLetter') host.deadLetterRaw(error, batch, i)
        this.counters.of(`${source.name}.invalid`).n++
      },
      latest: () => host.now() + host.options.maxTimestampAhead,
      refused: refused === undefined ? undefined : new Set(refused.keys()),
      refuse: (source, batch, i) => {
        const refusal = refused?.get(batch.offsets[i] as number)
        if (refusal?.deadLetter) host.deadLetterRaw(refusal.error, batch, i)
        this.counters.of(`${source.name}.refused`).n++
      },
    }
  }

  private topicFeed(
    step: Step,
    op: SourceNode,
    topic: string,
    partition: number,
    time: InputTime,
    runs: Runs,
    meter: TaskMeter,
    saved: TaskMeta | undefined,
  ): TopicFeed {
    const { host } = this
    const decoder = new SourceDecoder(op, topic, partition, this.decodePolicy(host.refused?.(topic, partition)))
    const position = saved?.positions.find(
      ([name, at, p]) => name === step.name && at === topic && p === partition,
    )?.[3]
    // a topic that has come since the task was there is read from its beginning
    const since = saved !== undefined && op.topics instanceof RegExp
    const start = position ?? host.startOffset(since ? { ...op, offsetReset: 'earliest' } : op, topic, partition)
    const feed = new TopicFeed(step, time, runs, topic, partition, start, {
      fetch: (offset) => host.fetch(topic, partition, offset),
      decode: (fetched, from, to) => {
        const began = performance.now()
        const batch = decoder.decode(fetched, from, to)
        meter.add(step.id, performance.now() - began)
        return batch
      },
      behind: (offset) => host.behind(topic, partition, offset),
      ...preparation(op, host),
      ...letting(op, host),
    })
    feed.activeAt = host.now()
    return feed
  }
}

/** What readers fetch lies in memory that they use again, unless somebody may look into it: a serde of the user's, or headers. */
function letting({ key, value }: SourceNode, host: Host): Pick<TopicSource, 'done'> {
  if (host.done === undefined || keepsViews(key) || keepsViews(value)) return {}
  return {
    done(fetched) {
      if (fetched.headers === undefined) host.done?.(fetched)
    },
  }
}

const keepsViews = (serde: AnySerde | undefined): boolean => serde === undefined || !isFast(serde) || serde.keepsViews

/** Serdes may have to ask for something before a batch is read. */
function preparation({ key, value }: SourceNode, host: Host): Pick<TopicSource, 'prepare'> {
  if (host.atOnce || (key?.prepareToRead === undefined && value?.prepareToRead === undefined)) return {}
  let asked: FetchedBatch | undefined
  let waiting = false
  return {
    prepare(fetched) {
      if (waiting) return false
      if (asked === fetched) return true
      asked = fetched
      const { data, keyStart, keyEnd, valueStart, valueEnd, count } = fetched
      const needs = [
        key?.prepareToRead?.(data, keyStart, keyEnd, 0, count),
        value?.prepareToRead?.(data, valueStart, valueEnd, 0, count),
      ].filter((one) => one !== undefined)
      if (needs.length === 0) return true
      waiting = true
      void Promise.allSettled(needs).then(() => {
        waiting = false
        host.wake?.()
      })
      return false
    },
  }
}

/** Where a source's records come as those of a topic: what has no serde takes the one that state has. */
const withCodec = (op: SourceNode): SourceNode =>
  op.value === undefined ? { ...op, key: valueSerde, value: valueSerde } : op
