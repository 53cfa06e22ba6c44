import { setTimeout as sleep } from 'node:timers/promises'
import { setEnvironmentData } from 'node:worker_threads'
import { openEmbedded } from '../../../../src/connectors/broker/broker.ts'
import type { ApartTransaction, Appended, OwnedLog } from '../../../../src/connectors/broker/log.ts'
import { planOf } from '../../../../src/dsl/topology/plan-of.ts'
import { StoreIds } from '../../../../src/engine/app/state/identity.ts'
import { settingsOf } from '../../../../src/engine/app/settings/options.ts'
import { sourcePartitions } from '../../../../src/engine/app/topics/source-partitions.ts'
import { WorkerEngine } from '../../../../src/engine/app/workers/worker-engine.ts'
import { compile } from '../../../../src/engine/plan/compile.ts'
import { embeddedBroker, type Topology } from '../../../../src/index.ts'
import { asBuffer } from '../../../../src/state/codec/index.ts'
import type { RowSink } from '../../../harness/sink.ts'
import type { Subject } from '../../../harness/subject.ts'
import { FrameRows } from './frame-rows.ts'
import { ChunkLog, ChunkWriter, sharedChunks } from './shared-chunks.ts'

export interface WorkersSubjectOptions {
  /** The module that workers load. */
  readonly url: URL
  readonly topology: Topology
  readonly input: string
  readonly workers: number
  /** Of the input. */
  readonly partitions: number
  /** Where a record belongs that begins there. */
  readonly partitionOf: (bytes: Buffer, start: number) => number
}

/**
 * The engine on worker threads: workers read the chunks from shared memory, state goes to RocksDB each 100 ms by this thread,
 * which gets the output frames. `run` returns when there is room for another chunk; `finish` waits for all of them.
 */
export function workersSubject(options: WorkersSubjectOptions): Subject {
  const { url, topology, input, workers, partitions, partitionOf } = options
  return {
    async setup({ sink, dir }) {
      const lease = await openEmbedded(embeddedBroker({ dir }))
      const shared = sharedChunks(input, partitions)
      setEnvironmentData('chunks', shared as never)
      const log = new SinkLog(shared, sink)
      const failed = Promise.withResolvers<never>()
      failed.promise.catch(() => {})
      const plan = compile(planOf(topology))
      const leased = {
        ...lease,
        log,
        ensureTopic: (name: string) => ({ name, partitions: name === input ? partitions : 1 }),
      }
      const engine = new WorkerEngine(
        plan,
        sourcePartitions(plan, leased),
        { url, settings: {}, hash: topology.hash, workers, script: new URL('chunk-worker.ts', import.meta.url) },
        settingsOf({ applicationId: 'bench', maxTimestampAhead: '36500d' }),
        leased,
        new StoreIds(lease.backend, 'bench'),
        { ended() {}, checkpoint() {}, failed: failed.reject },
      )
      await engine.start()
      const writer = new ChunkWriter(shared)

      const readUpTo = async (wanted: readonly number[]): Promise<void> => {
        const isRead = () => wanted.every((n, p) => n === 0 || (engine.positionOf(input, p) ?? 0) >= n)
        while (!isRead()) await Promise.race([sleep(1), failed.promise])
      }
      return {
        async run(chunk) {
          await readUpTo(writer.needed)
          writer.put(chunk, partitionOf)
          log.appended(writer.ends)
        },
        settle: () => readUpTo(writer.ends),
        async finish() {
          await readUpTo(writer.ends)
          await engine.stop()
        },
        close: () => lease.release(),
      }
    },
  }
}

/** Has the chunks as its topic, and gives the sink what is written. */
class SinkLog extends ChunkLog implements OwnedLog {
  private readonly input: string
  private readonly rows: FrameRows
  private readonly listeners = new Set<(appended: readonly Appended[]) => void>()

  constructor(shared: ConstructorParameters<typeof ChunkLog>[0], sink: RowSink) {
    super(shared)
    this.input = shared.topic
    this.rows = new FrameRows(sink)
  }

  appended(ends: readonly number[]): void {
    const all = ends.map((endOffset, partition) => ({ topic: this.input, partition, baseOffset: 0, endOffset }))
    for (const listener of this.listeners) listener(all)
  }

  onAppend(listener: (appended: readonly Appended[]) => void): Disposable {
    this.listeners.add(listener)
    return { [Symbol.dispose]: () => void this.listeners.delete(listener) }
  }

  begin(): never {
    throw new Error('not for benchmarks')
  }

  beginApart(): ApartTransaction {
    const frames: Uint8Array[] = []
    return {
      append(_topic, _partition, frame) {
        frames.push(frame)
        return 0
      },
      setGroupOffset() {},
      committed: () => {
        for (const frame of frames) this.rows.add(asBuffer(frame))
      },
      rollback() {},
    }
  }

  /** Nobody else appends. */
  free(): undefined {}
  settle(): void {}

  createTopic(): never {
    throw new Error('not for benchmarks')
  }
  deleteTopic(): never {
    throw new Error('not for benchmarks')
  }
  config(): never {
    throw new Error('not for benchmarks')
  }
  maintain(): boolean {
    return false
  }
}
