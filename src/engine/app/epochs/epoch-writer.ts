import type { EmbeddedLease } from '../../../connectors/broker/broker.ts'
import type { Sealer } from '../../../state/stores/index.ts'
import type { Deliveries } from '../../connect/deliveries.ts'
import { embeddedDeliveries } from '../../connect/embedded.ts'
import { Latency } from '../../metrics/index.ts'
import type { PhysicalPlan } from '../../plan/physical.ts'
import { Applied, Changes, Indexes, type Progress } from '../../query/index.ts'
import { type EpochPart, syncWrites, writeEpoch } from '../../runtime/commit.ts'
import { EpochPack, type Packed, unpack } from '../../../state/epoch-pack.ts'
import { Durability } from './durability.ts'
import type { CheckpointParts, EngineEvents } from '../engine.ts'
import { failpoint } from './failpoints.ts'
import type { StoreIds } from '../state/identity.ts'
import type { Settings } from '../settings/options.ts'
import { isWritten, type Outcome, Scribe } from './scribe.ts'

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
  /** Its thread runs where epochs are written apart. */
  readonly scribe: Scribe
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
    this.scribe = new Scribe(lease.backend)
    this.changes = new Changes(lease.backend)
    this.indexes = new Indexes(plan, lease.backend, ids)
    this.indexes.build(partitions)
    this.applied = new Applied(
      plan,
      hooks.ahead,
      () => hooks.wanted(),
      (topic) => lease.log.topic(topic)?.partitions,
    )
    this.latency = new Latency(inputs)
    this.deliveries = embeddedDeliveries(plan, settings, lease, ids, partitions, hooks)
    this.durability = new Durability(settings.sync, settings.clock, () => this.bringToDisk(hooks.failed))
  }

  /**
   * State and output frames, as one batch.
   * @param frames asked for when the state is sealed
   */
  write(seal: (sealer: Sealer) => void, frames: () => EpochPart['frames']): void {
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
    this.parts = { flush: sealedAt - this.began, ...(synced ? { sync: written } : { write: written }) }
    failpoint('after-write')
    for (const [gte, lt] of clears) backend.clearRange(gte, lt)
    failpoint('after-clears')
  }

  /**
   * The same, from another thread. Nothing else may be appended to the log, and nobody begins to watch, until it is over.
   *
   * @param packs of the state; their memory goes
   * @param done called once
   */
  writeApart(
    packs: readonly Packed[],
    frames: EpochPart['frames'],
    barrier: number,
    done: (outcome: Outcome) => void,
  ): void {
    const { log } = this.lease
    const { scribe } = this
    this.began = performance.now()
    failpoint('before-write')
    const synced = this.durability.next()
    const own = new EpochPack()
    this.look(packs, own)
    const transaction = log.beginApart(own, () => scribe.finish())
    try {
      for (const { topic, partition, frame } of frames) transaction.append(topic, partition, frame)
      failpoint('in-write')
      const looked = performance.now() - this.began
      scribe.write([...packs, own.take()], synced, (outcome) => {
        if ('bytes' in outcome) {
          const { bytes, fillMs: filled, writeMs: written } = outcome
          this.bytes = bytes
          this.parts = { barrier, flush: looked + filled, ...(synced ? { sync: written } : { write: written }) }
        }
        if (isWritten(outcome)) transaction.committed()
        else transaction.rollback()
        done(outcome)
      })
    } catch (error) {
      transaction.rollback()
      throw error
    }
  }

  private bringToDisk(failed: (error: unknown) => void): void {
    if (this.scribe.running) {
      this.scribe.write([], true, (outcome) => {
        if ('error' in outcome) failed(outcome.error)
      })
      return
    }
    try {
      syncWrites(this.lease.backend)
    } catch (error) {
      failed(error)
    }
  }

  /** Rows of indexes, for the rows of the stores; and what is watched. */
  private look(packs: readonly Packed[], rows: EpochPack): void {
    const { changes, indexes } = this
    changes.begin()
    if (changes.size === 0 && indexes.none) return
    const change = (key: Uint8Array, value: Uint8Array | undefined): void => {
      changes.look(key, value)
      indexes.change(rows, key, value)
    }
    const sealer: Sealer = { put: change, delete: (key) => change(key, undefined), clearLater: () => {} }
    for (const pack of packs) unpack(pack, sealer)
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

  /** Nothing is written any more. */
  async stop(): Promise<void> {
    this.durability.stop()
    await this.scribe.close()
  }
}
