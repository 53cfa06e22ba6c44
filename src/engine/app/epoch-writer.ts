import type { EmbeddedLease } from '../../connectors/broker/broker.ts'
import type { Sealer } from '../../state/stores/index.ts'
import type { Deliveries } from '../connect/deliveries.ts'
import { embeddedDeliveries } from '../connect/embedded.ts'
import { Latency } from '../metrics/index.ts'
import type { PhysicalPlan } from '../plan/physical.ts'
import { Applied, Changes, Indexes, type Progress } from '../query/index.ts'
import { type EpochPart, syncWrites, writeEpoch } from '../runtime/commit.ts'
import { Durability } from './durability.ts'
import type { CheckpointParts, EngineEvents } from './engine.ts'
import { failpoint } from './failpoints.ts'
import type { StoreIds } from './identity.ts'
import type { Settings } from './options.ts'

/** What an engine hears from the writer of its epochs. */
export interface WriterHooks {
  /** Epochs that may be open beside the one that is asked for. */
  readonly ahead: number
  /** Somebody waits for an epoch to be written. */
  wanted(): void
  /** A sink has room again. */
  wake(): void
  /** A sink, or the disk, has failed for good. */
  failed(error: unknown): void
}

/** Writes epochs to the embedded log, and tells all who wait for what is committed: subscriptions, indexes, queries, sinks. */
export class EpochWriter {
  readonly changes: Changes
  readonly applied: Applied
  readonly deliveries: Deliveries
  readonly latency: Latency
  private readonly indexes: Indexes
  private readonly durability: Durability
  private readonly lease: EmbeddedLease
  private readonly events: EngineEvents
  private began = 0
  private bytes = 0
  private parts: CheckpointParts = { flush: 0, write: 0 }

  /**
   * @param partitions of each sub-topology
   * @param inputs topics that are read, and their partitions
   */
  constructor(
    plan: PhysicalPlan,
    partitions: readonly number[],
    inputs: Iterable<readonly [string, number]>,
    settings: Settings,
    lease: EmbeddedLease,
    ids: StoreIds,
    events: EngineEvents,
    hooks: WriterHooks,
  ) {
    this.lease = lease
    this.events = events
    this.changes = new Changes(lease.backend)
    this.indexes = new Indexes(plan, lease.backend, ids)
    this.indexes.build(partitions)
    this.applied = new Applied(plan, hooks.ahead, () => hooks.wanted())
    this.latency = new Latency(inputs)
    this.deliveries = embeddedDeliveries(plan, settings, lease, ids, partitions, hooks)
    this.durability = new Durability(settings.sync, settings.clock, () => {
      try {
        syncWrites(lease.backend)
      } catch (error) {
        hooks.failed(error)
      }
    })
  }

  /**
   * State and output frames, as one batch.
   * @param frames asked for when the state is sealed
   * @param barrier how long it took until all workers had sealed their parts, ms
   */
  write(seal: (sealer: Sealer) => void, frames: () => EpochPart['frames'], barrier?: number): void {
    const { backend, log } = this.lease
    this.began = performance.now()
    failpoint('before-write')
    const synced = this.durability.next()
    let sealedAt = this.began
    const { bytes, clears } = writeEpoch(
      backend,
      log,
      this.indexes.indexed(this.changes.watched(seal)),
      () => {
        failpoint('in-write')
        sealedAt = performance.now()
        return frames()
      },
      synced,
    )
    this.bytes = bytes
    const written = performance.now() - sealedAt
    this.parts = {
      ...(barrier === undefined ? {} : { barrier }),
      flush: sealedAt - this.began,
      ...(synced ? { sync: written } : { write: written }),
    }
    failpoint('after-write')
    for (const [gte, lt] of clears) backend.clearRange(gte, lt)
    failpoint('after-clears')
  }

  /** The tasks know that it is written: the others may, too. */
  committed(progress: Progress): void {
    this.changes.committed()
    this.applied.committed(progress)
    this.deliveries.committed()
    for (const [topic, partition, position] of progress.positions) this.latency.committed(topic, partition, position)
    const { bytes, parts } = this
    this.events.checkpoint({ epoch: progress.epoch, ms: performance.now() - this.began, bytes, parts })
  }

  stop(): void {
    this.durability.stop()
  }
}
