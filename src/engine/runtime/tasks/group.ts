import type { DhaaraError } from '../../../errors/index.ts'
import { CachePool, type Sealer } from '../../../state/stores/index.ts'
import { OwnFeed } from '../../connect/source-feed.ts'
import { reportTask, type TaskReport } from '../../metrics/task-report.ts'
import type { PhysicalPlan, SubTopology } from '../../plan/physical.ts'
import type { TaskFlows } from '../../query/applied.ts'
import { Counters } from '../counters.ts'
import { ChannelFeed, type Feed, InputFeed } from '../inputs/feed.ts'
import { keepersOf } from '../steps/global-tables.ts'
import type { Host, TaskId } from '../host.ts'
import type { Links } from '../channels/links.ts'
import type { TaskStores } from '../steps/stores.ts'
import type { Task } from './task.ts'
import { TaskMaker } from './task-maker.ts'
import { TaskRows } from './task-rows.ts'
import { inFlow, Wiring } from '../channels/wiring.ts'

/**
 * The tasks of one thread: runs them, seals what they changed, puts them back to what was written last.
 * Knows nothing of threads, files or waiting.
 */
export class TaskGroup {
  readonly tasks: Task[] = []
  readonly counters = new Counters()
  readonly stores: ReadonlyMap<string, TaskStores>
  private readonly host: Host
  private readonly pool: CachePool
  private readonly order: readonly Task[]
  private readonly rows: TaskRows
  private clears: [Uint8Array, Uint8Array][] = []
  private readonly clearing = { clearLater: (gte: Uint8Array, lt: Uint8Array) => void this.clears.push([gte, lt]) }
  private readonly transport: Links | undefined
  private epoch: number

  /** @param transport where some tasks of the plan run on other threads */
  constructor(
    plan: PhysicalPlan,
    partitions: readonly number[],
    ids: readonly TaskId[],
    host: Host,
    epoch: number,
    transport?: Links,
  ) {
    this.host = host
    this.epoch = epoch
    this.transport = transport
    this.pool = new CachePool(host.options.cacheBytes)
    this.rows = new TaskRows(plan, host)
    const maker = new TaskMaker({
      plan,
      host,
      counters: this.counters,
      pool: this.pool,
      wiring: new Wiring(plan, partitions, transport),
      rows: this.rows,
      clearing: this.clearing,
      epoch,
      transport,
    })
    const keepers = keepersOf(ids)
    for (const { sub, partition } of ids.toSorted((a, b) => a.sub - b.sub || a.partition - b.partition)) {
      const keeper = keepers.get(sub) as number
      const task = maker.make(
        plan.subs[sub] as SubTopology,
        partition,
        keeper === partition ? undefined : this.task(sub, keeper),
      )
      this.tasks.push(task)
    }
    this.stores = maker.stores
    this.order = inFlow(plan, this.tasks)
    for (const task of this.order) task.settle()
  }

  /**
   * Runs until nothing is at hand, about `limit` records were processed, as much waits to be written as there may be, or so much
   * time is over: then others want the thread. Returns how many records were processed.
   */
  run(limit: number, ms = Number.POSITIVE_INFINITY): number {
    let processed = 0
    const until = performance.now() + ms
    for (let moved = true; moved && processed < limit && performance.now() < until; ) {
      moved = this.transport?.receive() ?? false
      const now = this.host.now()
      for (const task of this.order) {
        if (this.full) break
        const delivered = task.deliver()
        const n = this.runTask(task, now)
        processed += n
        if (n > 0) this.weigh(task)
        if (task.settle() || n > 0 || delivered) moved = true
      }
      this.transport?.flush()
      if (this.full) break
    }
    return processed
  }

  /** So much waits to be written that a checkpoint should come early. */
  get pressed(): boolean {
    return this.pool.pressed(this.host.outputs.fullBytes)
  }

  /** So much waits to be written that nothing should be added to it. */
  get full(): boolean {
    return this.pool.full(this.host.outputs.fullBytes)
  }

  /** Keeps count of the memory of stores, which a task that ran may have filled. */
  private weigh(task: Task): void {
    const { pool } = this
    this.stores.get(task.id)?.measure()
    if (!pool.crowded) return
    for (const stores of this.stores.values()) stores.trim()
    pool.trimmed()
  }

  /** Before a seal: applies what has come from other tasks, so that little is in flight. */
  drain(): void {
    this.transport?.receive()
    const now = this.host.now()
    for (const task of this.order) {
      if (task.relays) this.runTask(task, now)
      task.settle()
    }
  }

  /** One slice; of what comes from other tasks, all that there is. */
  private runTask(task: Task, now: number): number {
    const { batchSize, maxTaskIdle } = this.host.options
    const { keeper } = task.parts
    if (keeper?.reading === true) {
      // rows of tables go nowhere: no room is needed for them
      this.host.working?.(keeper.parts.sub.id, keeper.parts.partition)
      const read = keeper.run(batchSize, maxTaskIdle, now)
      task.limit(true)
      return read
    }
    let processed = 0
    let { roomy } = task
    for (let n = 1; roomy && n > 0; roomy = task.roomy) {
      this.host.working?.(task.parts.sub.id, task.parts.partition)
      n = task.run(batchSize, maxTaskIdle, now)
      processed += n
      if (!task.relays) break
    }
    task.limit(!roomy)
    return processed
  }

  /** What the wall clock makes due: timers, punctuators, idleness. */
  tick(): void {
    const now = this.host.now()
    for (const task of this.order) {
      for (const feed of task.parts.feeds) if (feed instanceof InputFeed) feed.judge(now, this.host.options.emptyIdle)
      task.parts.wall.tick()
      task.settle()
    }
  }

  /** The epoch's changes, encoded once; the next epoch begins. */
  seal(sealer: Sealer): number {
    // what was held back until our epoch came to it is in flight with it
    this.transport?.receive()
    const epoch = this.epoch++
    for (const task of this.tasks) {
      this.stores.get(task.id)?.seal(sealer)
      for (const outbox of task.parts.outboxes) outbox.seal(sealer)
      this.rows.seal(sealer, task, epoch, this.stores.get(task.id)?.rowCounts() ?? {})
    }
    for (const [gte, lt] of this.clears) sealer.clearLater(gte, lt)
    this.clears = []
    if (this.transport === undefined) this.sealLate(sealer, new Map())
    else this.transport.seal()
    return epoch
  }

  /** Behind `seal`, once it is known: what was in flight from other threads, by channel. */
  sealLate(sealer: Sealer, frames: ReadonlyMap<number, readonly Uint8Array[]>): void {
    for (const task of this.tasks) this.rows.sealLate(sealer, task, frames)
  }

  written(epoch: number): void {
    for (const stores of this.stores.values()) stores.written(epoch)
    for (const feed of this.feeds(OwnFeed)) feed.written(epoch)
  }

  /** Sources of the user's own end where they end now. @param names default: all */
  endSources(names?: readonly string[]): void {
    for (const feed of this.feeds(OwnFeed)) if (names === undefined || names.includes(feed.source)) feed.endInput()
    if (names === undefined) for (const task of this.tasks) task.ending = true
  }

  /** Records of sources that were processed. */
  get sourced(): number {
    let n = 0
    for (const task of this.tasks) n += task.sourced
    return n
  }

  /** The lowest of its tasks'. */
  get watermark(): number {
    let lowest = Number.POSITIVE_INFINITY
    for (const { parts } of this.tasks) lowest = Math.min(lowest, parts.clock.w)
    return lowest
  }

  /** What its tasks read from, of a kind. */
  feeds<F extends Feed>(kind: abstract new (...args: never[]) => F): F[] {
    return this.tasks.flatMap(({ parts }) => parts.feeds.filter((feed) => feed instanceof kind)) as F[]
  }

  /** How far flows between tasks have come. */
  flows(): TaskFlows[] {
    return this.tasks.flatMap(({ id, parts }) => {
      const feeds = parts.feeds.filter((feed) => feed instanceof ChannelFeed)
      if (feeds.length === 0) return []
      const arrived = feeds.map((feed) => feed.arrived)
      return [{ task: id, sub: parts.sub.id, arrived, consumed: feeds.map((feed) => feed.arrived - feed.backlog) }]
    })
  }

  /** How its tasks are. @param worker the thread's number */
  report(worker?: number): TaskReport[] {
    return this.tasks.map((task) => {
      const stores = this.stores.get(task.id)
      return reportTask(task, { rows: stores?.rowCounts() ?? {}, reads: stores?.readCounts() ?? {} }, worker)
    })
  }

  /** Calls of asynchronous steps that are running: what else they wait for is the clock. */
  get calling(): number {
    let calls = 0
    for (const task of this.tasks) for (const step of task.parts.asyncs) calls += step.running
    return calls
  }

  /** What asynchronous steps and sources get from now on comes to nobody. */
  abandon(): void {
    for (const task of this.tasks) for (const step of task.parts.asyncs) step.close()
    for (const feed of this.feeds(OwnFeed)) feed.close()
  }

  /** Every input has ended, and all of it was processed. */
  get ended(): boolean {
    return this.tasks.every((task) => task.ended)
  }

  task(sub: number, partition: number): Task | undefined {
    return this.tasks.find((task) => task.parts.sub.id === sub && task.parts.partition === partition)
  }

  /** Gives what user code threw on its way out: nobody else was kept from it. */
  close(): DhaaraError[] {
    this.abandon()
    return this.tasks.flatMap((task) => task.parts.close())
  }
}
