import * as fc from 'fast-check'
import { serdes, StreamsBuilder, type Topology } from '../../../src/index.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'

/** A record of any of the inputs. */
export interface Sent {
  readonly topic: number
  readonly key: string
  readonly value: number | null
  readonly ts: number
}
export type Event = Sent | 'checkpoint' | 'crash' | 'restore'

export interface Result {
  readonly key: unknown
  readonly value: unknown
  readonly ts: number
}

export interface Play {
  readonly events: readonly Event[]
  readonly batchSize: number
  readonly cacheBytes: number
}

interface Limits {
  readonly topics?: number
  readonly maxLength?: number
  /** Share of tombstones, of 10. */
  readonly tombstones?: number
  /** How far records may be out of order, ms. */
  readonly back?: number
}

/** Records out of order and at times late, tombstones, checkpoints, crashes, restores into another driver. */
export const plays = ({ topics = 1, maxLength = 60, tombstones = 0, back = 20 }: Limits = {}): fc.Arbitrary<Play> =>
  fc.record({
    events: fc
      .array(
        fc.oneof(
          {
            weight: 14,
            arbitrary: fc.record({
              topic: fc.nat(topics - 1),
              key: fc.constantFrom('a', 'b', 'c'),
              none: fc.nat(9).map((n) => n < tombstones),
              forth: fc.oneof(fc.constant(0), fc.nat(6), fc.constant(60)),
              back: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(back) }),
            }),
          },
          { weight: 1, arbitrary: fc.constantFrom('checkpoint', 'crash', 'restore') },
        ),
        { maxLength, size: 'max' },
      )
      .map((events) => {
        let now = 20
        return events.map((event, i): Event => {
          if (typeof event === 'string') return event
          now += event.forth
          const value = event.none ? null : i
          return { topic: event.topic, key: event.key, value, ts: Math.max(0, now - event.back) }
        })
      }),
    batchSize: fc.constantFrom(1, 3, 1000),
    cacheBytes: fc.constantFrom(0, 1 << 20),
  })

export const sentIn = (events: readonly Event[]): Sent[] => events.filter((event) => typeof event !== 'string')

export const topicName = (topic: number): string => `in${topic}`

/** A source of the test's records: values are numbers, keys letters. */
export const numbers = { key: serdes.string(), value: serdes.number(), nullKeys: 'drop' } as const

/** Plays the events to the end; what came out of 'out'. */
export const run = (topology: Topology, play: Play, partitions = 1): Result[] =>
  runAll(topology, play, ['out'], partitions).get('out') as Result[]

/** Plays the events to the end; what came out, by topic. */
export function runAll(
  topology: Topology,
  { events, batchSize, cacheBytes }: Play,
  topics: readonly string[],
  partitions = 1,
): Map<string, Result[]> {
  const options = { batchSize, cacheBytes, partitions }
  let driver = new TopologyTestDriver(topology, options)
  const results = new Map(topics.map((topic) => [topic, [] as Result[]]))
  const collect = () => {
    for (const [topic, rows] of results)
      for (const { key, value, timestamp } of driver.output(topic).readAll()) rows.push({ key, value, ts: timestamp })
  }
  let since: Sent[] = []
  const send = (records: readonly Sent[]) => {
    for (let i = 0; i < records.length; ) {
      const { topic } = records[i] as Sent
      const one: Sent[] = []
      while (i < records.length && records[i]?.topic === topic) one.push(records[i++] as Sent)
      driver.input(topicName(topic)).sendAll(one.map(({ key, value, ts }) => ({ key, value, timestamp: ts })))
    }
  }
  let waiting: Sent[] = []
  const flush = () => {
    send(waiting)
    since.push(...waiting)
    waiting = []
  }
  for (const event of events) {
    if (typeof event !== 'string') {
      waiting.push(event)
      continue
    }
    flush()
    if (event === 'crash') {
      driver.crash()
      send(since)
      continue
    }
    const snapshot = driver.checkpoint()
    since = []
    if (event === 'checkpoint') continue
    collect()
    driver = new TopologyTestDriver(topology, { ...options, restore: snapshot })
  }
  flush()
  driver.end()
  collect()
  return results
}

/** A topology made in one go. */
export function topologyOf(make: (builder: StreamsBuilder) => void): Topology {
  const builder = new StreamsBuilder()
  make(builder)
  return builder.build()
}

/** W after each record of one input, as the default strategy has it. */
export class Watermark {
  w = Number.NEGATIVE_INFINITY
  private max = Number.NEGATIVE_INFINITY

  pass(ts: number): void {
    this.max = Math.max(this.max, ts)
    this.w = this.max - 1
  }
}
