import { planOf } from '../../../../src/dsl/topology/plan-of.ts'
import { openEmbedded } from '../../../../src/connectors/broker/broker.ts'
import { StoreIds } from '../../../../src/engine/app/state/identity.ts'
import { compile } from '../../../../src/engine/plan/compile.ts'
import { writeEpoch } from '../../../../src/engine/runtime/commit.ts'
import { TaskGroup } from '../../../../src/engine/runtime/tasks/group.ts'
import { Outputs } from '../../../../src/engine/runtime/outputs.ts'
import type { RecordBatch } from '../../../../src/engine/runtime/record.ts'
import { embeddedBroker, type Pattern, pattern, serdes, StreamsBuilder, watermarks } from '../../../../src/index.ts'
import { MemoryBackend } from '../../../../src/state/backends/memory.ts'
import type { Subject } from '../../../harness/subject.ts'
import { type PatternEvent, patternBound } from '../../../workload/patterns.ts'
import { batchSize, interval, now as usualNow } from './epoch.ts'

const p = pattern<PatternEvent>()
const is =
  (type: string) =>
  (event: PatternEvent): boolean =>
    event.type === type

/** A next B. */
export const strict = p.begin('a').where(is('A')).next('b').where(is('B'))
/** A, B, C, others in between. */
export const relaxed = p
  .begin('a')
  .where(is('A'))
  .followedBy('b')
  .where(is('B'))
  .followedBy('c')
  .where(is('C'))
  .within('10s')
/** A, one B or more, C. */
export const loop = p
  .begin('a')
  .where(is('A'))
  .followedBy('b')
  .where(is('B'))
  .oneOrMore()
  .followedBy('c')
  .where(is('C'))
  .within('10s')

/** What a match counts for in the checksum: its events and its length in time. */
export const weigh = (events: number, from: number, to: number): number => events + to - from

export interface PatternSubjectOptions {
  readonly cacheBytes?: number
  /** Milliseconds. */
  readonly clock?: () => number
}

/**
 * `match` in a task of the engine, from decoded batches to a counting sink. Variant `memory`: no checkpoints; `rocksdb`:
 * what changed is written each 100 ms.
 */
export function patternSubject(
  searched: Pattern<PatternEvent, any>,
  opts: PatternSubjectOptions = {},
): Subject<PatternEvent> {
  return {
    async setup({ sink, dir, variant }) {
      let matches = 0
      let sum = 0
      const builder = new StreamsBuilder()
      builder
        .stream('events', {
          key: serdes.string(),
          timestamp: (event: PatternEvent) => event.at,
          watermark: watermarks.boundedOutOfOrderness(patternBound),
          value: serdes.msgpack<PatternEvent>(),
        })
        .match(searched)
        .select((match, _key, { start, end }) => {
          let events = 0
          for (const name in match) events += match[name].length
          return weigh(events, start, end)
        })
        .forEach((weight) => {
          matches++
          sum += weight
        })
      const durable = variant === 'rocksdb'
      const lease = durable ? await openEmbedded(embeddedBroker({ dir })) : undefined
      const ids = lease && new StoreIds(lease.backend, 'bench')
      const group = new TaskGroup(
        compile(planOf(builder.build())),
        [1],
        [{ sub: 0, partition: 0 }],
        {
          reader: lease?.backend ?? new MemoryBackend(),
          outputs: new Outputs(() => 1),
          storeId: (name) => ids?.idOf(name) ?? 1,
          partitionsOf: () => 1,
          topics: () => [],
          fetch: () => undefined,
          behind: () => false,
          startOffset: () => 0,
          now: () => 0,
          onUserError: () => 'fail',
          onDataError: () => 'fail',
          deadLetter() {},
          deadLetterRaw() {},
          options: {
            careful: false,
            strict: false,
            codegen: true,
            cacheBytes: opts.cacheBytes ?? 256 << 20,
            maxTimestampAhead: Number.POSITIVE_INFINITY,
            maxTaskIdle: 0,
            emptyIdle: 0,
            batchSize,
          },
        },
        1,
      )
      const feed = group.tasks[0]?.parts.feeds[0]
      if (feed === undefined) throw new Error('the plan has no input')
      const now = opts.clock ?? usualNow
      let due = now() + interval
      const commit = (): void => {
        if (lease === undefined) return
        const { clears } = writeEpoch(
          lease.backend,
          lease.log,
          (sealer) => void group.seal(sealer),
          () => [],
          false,
        )
        for (const [gte, lt] of clears) lease.backend.clearRange(gte, lt)
        group.written(Number.POSITIVE_INFINITY)
        due = now() + interval
      }
      const tell = (): void => {
        sink.add(matches, sum)
        matches = 0
        sum = 0
      }
      return {
        run(_chunk, events) {
          for (let from = 0; from < events.length; from += batchSize) {
            const batch = batchOf(events, from)
            feed.run(batch, 0, batch.count, feed.time)
            if (durable && now() >= due) commit()
          }
          tell()
        },
        finish() {
          feed.time.end()
          commit()
          tell()
        },
        close: () => lease?.release(),
      }
    },
  }
}

function batchOf(events: readonly PatternEvent[], from: number): RecordBatch {
  const values = events.slice(from, from + batchSize)
  return {
    topic: 'events',
    partition: 0,
    count: values.length,
    keys: values.map((event) => event.key),
    values,
    olds: undefined,
    timestamps: values.map((event) => event.at),
    w: undefined,
    headers: undefined,
    offsets: undefined,
    baseOffset: from,
  }
}
