import type { Membership, PositionedPartition, RemoteWriter } from '../../../connectors/broker/remote.ts'
import type { WriteBatch } from '../../../state/backend.ts'
import type { TaskGroup } from '../../runtime/tasks/group.ts'
import { positionName } from '../inputs.ts'
import { Looked, type WatchedStores, WrittenRows } from '../queries/written-rows.ts'
import type { LocalRows } from '../state/local-state.ts'
import { type SealedEpoch, writeEpochTo } from './epoch.ts'
import type { RunnerParts } from './runner-parts.ts'
import type { RunnerTasks } from './runner-tasks.ts'
import { sealEpoch } from './seal.ts'
import type { Sinks } from './sinks.ts'
import type { Transaction } from './transaction.ts'

/** Epochs between two times that repartition topics are purged. */
const PURGED_EACH = 50

/** Ends the epochs of a runner, one at a time: each is sealed, sent and committed, and its rows are written. */
export class Committer {
  /** The running one. */
  epoch = 1
  /** Records that epochs have sent which are sealed. */
  recordsOut = 0
  /** See `Teller`. */
  readonly writes: Int32Array
  private readonly parts: RunnerParts
  private readonly exactlyOnce: boolean
  private readonly writer: RemoteWriter
  private readonly transaction: Transaction
  private readonly local: LocalRows
  private readonly tasks: RunnerTasks
  private readonly sinks: Sinks
  private readonly looked = new Looked()

  constructor(
    parts: RunnerParts,
    writer: RemoteWriter,
    transaction: Transaction,
    local: LocalRows,
    tasks: RunnerTasks,
    sinks: Sinks,
  ) {
    this.parts = parts
    this.exactlyOnce = parts.settings.guarantee === 'exactly-once'
    this.writes = parts.writes ?? new Int32Array(new SharedArrayBuffer(4))
    this.writer = writer
    this.transaction = transaction
    this.local = local
    this.tasks = tasks
    this.sinks = sinks
  }

  /** @param underWay the commit that is, if one is */
  watch(wanted: WatchedStores, underWay: () => Promise<void> | undefined): Promise<void> {
    return this.looked.at(wanted, underWay)
  }

  /**
   * Seals the running epoch at once; the next one begins.
   *
   * @returns once it is committed, and its rows are written: undefined; else what it was refused by
   */
  commit(membership: Membership): Promise<unknown> {
    const { tasks, local } = this
    const { settings, events } = this.parts
    const { outputs, links } = tasks
    const group = tasks.group as TaskGroup
    const began = performance.now()
    const { stores } = this.looked
    const watched = stores === undefined ? undefined : new WrittenRows(stores, local.backend)
    const sealed = sealEpoch(tasks, {
      local,
      now: settings.clock.now(),
      more: (sealer) => {
        tasks.known.seal(sealer)
        this.sinks.seal(sealer)
      },
      look: watched && ((key, after) => watched.look(key, after)),
    })
    const { epoch, positions } = sealed
    const { bytes } = sealed.batch
    const flush = performance.now() - began
    const moved = positions.length > 0 ? positions : tasks.standIn()
    const ended = links?.ended ?? tasks.ended
    this.transaction.sealed()
    this.epoch = epoch + 1
    this.recordsOut += outputs.written
    outputs.written = 0
    return this.write({ ...sealed, positions: moved }, membership).then(
      ({ commit, write }) => {
        group.written(epoch)
        this.transaction.committed()
        this.sinks.committed()
        tasks.ended = ended
        for (const one of positions) tasks.committed.set(positionName(one), one.offset)
        this.purge(positions)
        if (watched !== undefined && watched.rows.length > 0)
          events.written({ count: Atomics.load(this.writes, 0), rows: watched.rows })
        const parts = { flush, commit, ...(settings.sync === 'commit' ? { sync: write } : { write }) }
        events.checkpoint({ epoch, ms: performance.now() - began, bytes, parts })
      },
      (error: unknown) => error,
    )
  }

  private write(sealed: SealedEpoch, membership: Membership): ReturnType<typeof writeEpochTo> {
    const { parts, local, writer, exactlyOnce, tasks } = this
    const { inputs, outputs } = tasks
    const idOf = (topic: string) => inputs.topics.all.get(topic)?.id ?? ''
    const write = (batch: WriteBatch) => this.writeRows(batch)
    const options = { exactlyOnce, write, spare: outputs.spare }
    return writeEpochTo(sealed, writer, parts.log, local, membership, idOf, options)
  }

  /** Others see by the count that rows are being written, and when they were. */
  private writeRows(batch: WriteBatch): void {
    Atomics.add(this.writes, 0, 1)
    try {
      batch.commit({ sync: this.parts.settings.sync === 'commit' })
    } finally {
      Atomics.add(this.writes, 0, 1)
    }
  }

  /** What was read from repartitions is of no use to anybody. */
  private purge(positions: readonly PositionedPartition[]): void {
    const internal = positions.filter(({ topic }) => this.tasks.inputs.isRepartition(topic))
    if (internal.length === 0 || this.epoch % PURGED_EACH !== 0) return
    this.parts.log.deleteRecords(internal).catch((error: unknown) => {
      this.parts.settings.logger.warn({ error: String(error) }, 'repartition topics were not purged')
    })
  }
}
