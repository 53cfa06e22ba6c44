import type { RemoteLog, RemoteReader } from '../../../connectors/broker/remote.ts'
import type { Logger } from '../../app/settings/logger.ts'
import { applyRows, type RowsAt } from './apply-rows.ts'
import { taskOf } from '../group/assignor.ts'
import type { ChangelogRows } from './changelog.ts'
import type { LocalRows } from './local-state.ts'
import { beginAt } from './begin-at.ts'
import type { AppTopics } from '../topics/app-topics.ts'

/** A copy that lags behind by no more rows than this can be taken over at once. */
const caughtUp = 1000

/** Keeps copies of the state of tasks that run elsewhere, so that this instance can take them over at once. */
export class Standbys {
  private readonly log: RemoteLog
  private readonly local: LocalRows
  private readonly rows: ChangelogRows
  private readonly topics: AppTopics
  private readonly stores: () => Iterable<string>
  private readonly logger: Logger
  private readonly onWarm: () => void
  private readonly reader: RemoteReader
  /** By task. */
  private readonly copies = new Map<string, RowsAt[]>()
  private warming = new Set<string>()
  private wanted: readonly string[] = []
  private reading = false
  private closed = false

  /** @param onWarm tasks that are to move here have their state here */
  constructor(
    log: RemoteLog,
    local: LocalRows,
    rows: ChangelogRows,
    topics: AppTopics,
    stores: () => Iterable<string>,
    logger: Logger,
    onWarm: () => void,
  ) {
    this.log = log
    this.local = local
    this.rows = rows
    this.topics = topics
    this.stores = stores
    this.logger = logger
    this.onWarm = onWarm
    this.reader = log.reader({ onData: () => this.read() })
  }

  /** Tasks that copies are kept of. */
  get count(): number {
    return this.copies.size
  }

  /** Records read into copies so far. */
  records = 0

  /** Records that the copies are behind, by what the brokers have told last; NaN: nothing yet. */
  get lag(): number {
    let lag = 0
    for (const copy of [...this.copies.values()].flat()) lag += Math.max(0, this.endOf(copy) - copy.at)
    return lag
  }

  /** These tasks' state is about to be restored: nobody else may write it. */
  pause(tasks: readonly string[]): void {
    for (const task of tasks) this.drop(task)
  }

  /** From now on, copies of these tasks, and no others. @param warming those that move here when their copies are there */
  async keep(tasks: readonly string[], warming: readonly string[]): Promise<void> {
    this.wanted = tasks
    this.warming = new Set(warming)
    for (const task of this.copies.keys()) if (!tasks.includes(task)) this.drop(task)
    const fresh = tasks.filter((task) => !this.copies.has(task))
    if (fresh.length > 0) await this.begin(fresh)
    this.read()
  }

  async close(): Promise<void> {
    this.closed = true
    this.copies.clear()
    await this.reader.close()
  }

  private async begin(tasks: readonly string[]): Promise<void> {
    const all = tasks.flatMap((task) => {
      const { sub, partition } = taskOf(task)
      return this.topics.changelogs.filter((one) => one.sub === sub).map((log) => ({ task, log, partition }))
    })
    const where = all.map((one) => ({ topic: one.log.topic, partition: one.partition }))
    const [starts, ends] = await Promise.all([
      this.log.offsets(where, 'earliest'),
      this.log.offsets(where, 'latest', true),
    ])
    for (const [i, { task, log, partition }] of all.entries()) {
      // meanwhile it may have been told otherwise
      if (this.closed || !this.wanted.includes(task)) continue
      const { local, rows, logger, topics } = this
      const parts = { local, rows, logger, topics: topics.all, stores: this.stores() }
      const at = beginAt(parts, { log, partition }, starts[i] as number, ends[i] as number)
      const copy: RowsAt = { log, partition, topicId: topics.all.get(log.topic)?.id ?? '', at }
      this.copies.set(task, [...(this.copies.get(task) ?? []), copy])
      this.reader.add(log.topic, partition, at)
    }
    this.logger.info({ tasks }, 'copies of the state of tasks elsewhere are kept here')
  }

  private drop(task: string): void {
    this.wanted = this.wanted.filter((one) => one !== task)
    for (const { log, partition } of this.copies.get(task) ?? []) this.reader.remove(log.topic, partition)
    this.copies.delete(task)
  }

  /** What there is, with room for others between any two batches. */
  private read(): void {
    if (this.reading || this.closed) return
    this.reading = true
    const step = (): void => {
      this.reading = false
      if (this.closed) return
      if (this.takeOne()) {
        this.reading = true
        setImmediate(step)
      } else this.judge()
    }
    setImmediate(step)
  }

  private takeOne(): boolean {
    let moved = false
    for (const copy of [...this.copies.values()].flat()) {
      try {
        const batch = this.reader.take(copy.log.topic, copy.partition, copy.at)
        if (batch === undefined) continue
        applyRows(this.local, this.rows, [{ state: copy, batches: [batch] }])
        this.records += batch.count
        this.reader.done(batch)
        moved = true
      } catch (error) {
        const { topic } = copy.log
        this.logger.warn(
          { topic, error: String(error) },
          'the copy of a state is given up; it is read anew when needed',
        )
        this.drop(`${copy.log.sub}_${copy.partition}`)
      }
    }
    return moved
  }

  private judge(): void {
    if (this.warming.size === 0) return
    for (const task of this.warming) {
      const copies = this.copies.get(task)
      if (copies === undefined || copies.some((copy) => !(this.endOf(copy) - copy.at <= caughtUp))) return
    }
    this.warming.clear()
    this.onWarm()
  }

  private endOf({ log, partition }: RowsAt): number {
    return this.reader.end(log.topic, partition)
  }
}
