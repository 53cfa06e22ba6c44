import { openEmbedded } from '../../../../src/connectors/broker/broker.ts'
import type { FetchedBatch } from '../../../../src/connectors/broker/log.ts'
import { compile } from '../../../../src/engine/plan/compile.ts'
import { partitionCounts } from '../../../../src/engine/plan/partitions.ts'
import { StoreIds } from '../../../../src/engine/app/state/identity.ts'
import { writeEpoch } from '../../../../src/engine/runtime/commit.ts'
import type { TopicFeed } from '../../../../src/engine/runtime/inputs/feed.ts'
import { TaskGroup } from '../../../../src/engine/runtime/tasks/group.ts'
import type { Host } from '../../../../src/engine/runtime/host.ts'
import { Outputs } from '../../../../src/engine/runtime/outputs.ts'
import { planOf } from '../../../../src/dsl/topology/plan-of.ts'
import { embeddedBroker, type Topology } from '../../../../src/index.ts'
import type { Subject } from '../../../harness/subject.ts'
import type { Chunk } from '../../../workload/chunks.ts'
import { interval as usualInterval, now } from './epoch.ts'
import { FrameRows } from './frame-rows.ts'

/** Records of one fetch. */
const fetchSize = 1000

export interface EngineSubjectOptions {
  readonly cacheBytes?: number
  /** Time between two checkpoints, milliseconds, by variant; without, that of the yardsticks. */
  readonly interval?: (variant: string) => number
  /** Other inputs, taken in before the first record: topic -> values with keys. */
  readonly tables?: Readonly<Record<string, () => FetchedBatch>>
}

/**
 * The engine's own path from bytes to frames, in one thread: fetched runs of records, decoded, processed by the generated
 * code, written to output frames; each 100 ms an epoch goes to RocksDB. The frames are copied, as into a batch of writes, but
 * neither side writes its output to disk.
 */
export function engineSubject(
  topology: (variant: string) => Topology,
  input: string,
  options: EngineSubjectOptions = {},
): Subject {
  return {
    async setup({ sink, dir, variant }) {
      const interval = options.interval?.(variant) ?? usualInterval
      const lease = await openEmbedded(embeddedBroker({ dir }))
      const plan = compile(planOf(topology(variant)))
      const ids = new StoreIds(lease.backend, 'bench')
      const outputs = new Outputs(() => 1)
      const partitions = partitionCounts(plan, () => 1, [])
      let waiting: FetchedBatch | undefined
      const tables = new Map(Object.entries(options.tables ?? {}))
      const host: Host = {
        reader: lease.backend,
        outputs,
        storeId: (name) => ids.idOf(name),
        partitionsOf: () => 1,
        topics: () => [],
        fetch(topic) {
          if (topic === input) {
            const batch = waiting
            waiting = undefined
            return batch
          }
          const table = tables.get(topic)
          tables.delete(topic)
          return table?.()
        },
        behind: () => false,
        startOffset: () => 0,
        now: () => Date.now(),
        onUserError: () => 'fail',
        onDataError: () => 'fail',
        deadLetter() {},
        deadLetterRaw() {},
        options: {
          careful: false,
          strict: false,
          codegen: true,
          cacheBytes: options.cacheBytes ?? 256 << 20,
          maxTimestampAhead: Number.POSITIVE_INFINITY,
          maxTaskIdle: 0,
          emptyIdle: 1000,
          batchSize: fetchSize,
        },
      }
      const group = new TaskGroup(
        plan,
        partitions,
        plan.subs.map(({ id }) => ({ sub: id, partition: 0 })),
        host,
        1,
      )
      group.run(Number.POSITIVE_INFINITY)
      let due = now() + interval
      const rows = new FrameRows(sink)

      const handOver = (): void => {
        const frames = outputs.take()
        for (const { frame } of frames) rows.add(frame)
        outputs.release(frames)
      }
      const commit = (): void => {
        handOver()
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

      return {
        run(chunk) {
          for (let from = 0; from < chunk.count; from += fetchSize) {
            waiting = fetchedOf(chunk, from, Math.min(chunk.count, from + fetchSize), input)
            group.run(Number.POSITIVE_INFINITY)
            if (now() >= due) commit()
          }
          handOver()
        },
        finish() {
          for (const task of group.tasks)
            for (const feed of task.parts.feeds) if ('topic' in feed) (feed as TopicFeed).time.end()
          group.run(Number.POSITIVE_INFINITY)
          commit()
        },
        close: () => lease.release(),
      }
    },
  }
}

let position = 0

/** Records of a chunk as a broker would hand them over: keyless values in one buffer, the columns in another. */
function fetchedOf({ bytes, offsets }: Chunk, from: number, to: number, topic: string): FetchedBatch {
  const count = to - from
  const columns = new ArrayBuffer(count * 28)
  const timestamps = new Float64Array(columns, 0, count)
  const positions = new Float64Array(columns, count * 8, count)
  const none = new Int32Array(columns, count * 16, count).fill(-1)
  const valueStart = new Int32Array(columns, count * 20, count)
  const valueEnd = new Int32Array(columns, count * 24, count)
  valueStart.set(offsets.subarray(from, to))
  valueEnd.set(offsets.subarray(from + 1, to + 1))
  for (let i = 0; i < count; i++) positions[i] = position++
  return {
    topic,
    partition: 0,
    count,
    data: bytes,
    keyStart: none,
    keyEnd: none,
    valueStart,
    valueEnd,
    timestamps,
    offsets: positions,
    nextOffset: position,
  }
}
