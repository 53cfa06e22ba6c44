import type { DeliverNode } from '../../dsl/plan/index.ts'
import type { DhaaraError } from '../../errors/index.ts'
import { copyValue, decodeValue, encodeValue } from '../../state/codec/index.ts'
import { CachePool, type Sealer, statePrefix } from '../../state/stores/index.ts'
import type { ProgramEnv } from '../codegen/interpret.ts'
import { type Program, programOf } from '../codegen/program.ts'
import { Outbox } from '../connect/outbox.ts'
import { outboxStore, OutboxRows } from '../connect/outbox-rows.ts'
import { OwnFeed } from '../connect/source-feed.ts'
import { TaskMeter } from '../metrics/task-meter.ts'
import { reportTask, type TaskReport } from '../metrics/task-report.ts'
import type { PhysicalPlan, SubTopology } from '../plan/physical.ts'
import { TaskClock } from '../time/clock.ts'
import { TaskTime } from '../time/inputs.ts'
import { WallClock } from '../time/wall.ts'
import { WallTime } from '../time/wall-time.ts'
import type { Link } from './channel.ts'
import { type ChannelCodec, channelCodec } from './channel-codec.ts'
import { ChannelFeed, type Feed, InputFeed, TopicFeed } from './feed.ts'
import type { Host, TaskId } from './host.ts'
import { Instance } from './instance.ts'
import { framesOf, type InFlight, putBack } from './in-flight.ts'
import { CurrentRecord } from './record.ts'
import { Counters } from './counters.ts'
import { Failures } from './failures.ts'
import { TaskFeeds } from './task-feeds.ts'
import { inFlow, Wiring } from './wiring.ts'
import type { TaskFlows } from '../query/applied.ts'
import type { Links } from './links.ts'
import { TaskStores } from './stores.ts'
import { Task } from './task.ts'
import { abandoned, adopted, LATE, type TaskMeta } from './task-meta.ts'

/** Its id is the app's own, as those of its other stores: apps may share one database. */
export const TASKS = '$tasks'

/**
 * The tasks of one thread: runs them, seals what they changed, puts them back to what was written last.
 * Knows nothing of threads, files or waiting.
 */
export class TaskGroup {
  readonly tasks: Task[] = []
  readonly counters = new Counters()
  readonly stores = new Map<string, TaskStores>()
  private readonly plan: PhysicalPlan
  private readonly host: Host
  private readonly pool: CachePool
  private readonly order: readonly Task[]
  private readonly wiring: Wiring
  private readonly feeding: TaskFeeds
  private readonly failures: Failures
  private clears: [Uint8Array, Uint8Array][] = []
  private readonly clearing = { clearLater: (gte: Uint8Array, lt: Uint8Array) => void this.clears.push([gte, lt]) }
  private readonly codecs: readonly ChannelCodec[]
  private readonly transport: Links | undefined
  /** Tasks with a row of what came after their seal. */
  private readonly late = new Set<string>()
  /** Rows of tasks that an earlier version of the topology had: they go with the first epoch. */
  private readonly gone: Uint8Array[] = []
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
    this.plan = plan
    this.host = host
    this.epoch = epoch
    this.transport = transport
    this.pool = new CachePool(host.options.cacheBytes)
    this.codecs = plan.repartitions.map(channelCodec)
    this.wiring = new Wiring(plan, partitions, transport)
    this.feeding = new TaskFeeds(host, this.counters, this.wiring)
    this.failures = new Failures(plan, host, this.counters)
    for (const { sub, partition } of ids) this.tasks.push(this.make(plan.subs[sub] as SubTopology, partition))
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
    let processed = 0
    let n = 1
    for (let again = true; again && n > 0 && task.roomy; again = task.relays) {
      this.host.working?.(task.parts.sub.id, task.parts.partition)
      n = task.run(batchSize, maxTaskIdle, now)
      processed += n
    }
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
      sealer.put(this.metaKey(task.parts.sub, task.parts.partition), encodeValue(this.meta(task, epoch)))
    }
    for (const key of this.gone.splice(0)) sealer.delete(key)
    for (const [gte, lt] of this.clears) sealer.clearLater(gte, lt)
    this.clears = []
    if (this.transport === undefined) this.sealLate(sealer, new Map())
    else this.transport.seal()
    return epoch
  }

  /** Behind `seal`, once it is known: what was in flight from other threads, by channel. */
  sealLate(sealer: Sealer, frames: ReadonlyMap<number, readonly Uint8Array[]>): void {
    for (const { id, parts } of this.tasks) {
      const { sub, partition, feeds } = parts
      const inFlight: InFlight[] = []
      for (const feed of feeds) {
        if (!(feed instanceof ChannelFeed) || feed.slot === undefined) continue
        const found = frames.get(feed.slot)
        if (found !== undefined) inFlight.push({ feed: feed.name, base: 0, frames: found })
      }
      if (inFlight.length > 0) {
        sealer.put(this.lateKey(sub, partition), encodeValue(inFlight))
        this.late.add(id)
      } else if (this.late.delete(id)) sealer.delete(this.lateKey(sub, partition))
    }
  }

  written(epoch: number): void {
    for (const stores of this.stores.values()) stores.written(epoch)
    for (const feed of this.ownFeeds()) feed.written(epoch)
  }

  /** Sources of the user's own end where they end now. @param names default: all */
  endSources(names?: readonly string[]): void {
    for (const feed of this.ownFeeds()) if (names === undefined || names.includes(feed.source)) feed.endInput()
    if (names === undefined) for (const task of this.tasks) task.ending = true
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
    return this.tasks.map((task) => reportTask(task, this.stores.get(task.id)?.rowCounts() ?? {}, worker))
  }

  /** Calls of asynchronous steps that are running: what else they wait for is the clock. */
  get calling(): number {
    let calls = 0
    for (const task of this.tasks) for (const step of task.parts.asyncs) calls += step.running
    return calls
  }

  private ownFeeds(): OwnFeed[] {
    return this.tasks.flatMap(({ parts }) => parts.feeds.filter((feed) => feed instanceof OwnFeed))
  }

  /** What asynchronous steps and sources get from now on comes to nobody. */
  abandon(): void {
    for (const task of this.tasks) for (const step of task.parts.asyncs) step.close()
    for (const feed of this.ownFeeds()) feed.close()
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

  private meta(task: Task, epoch: number): TaskMeta {
    const { feeds, clock } = task.parts
    const positions = feeds.flatMap((feed) =>
      feed instanceof TopicFeed ? [[feed.step.name, feed.topic, feed.partition, feed.position] as const] : [],
    )
    const sources = feeds.flatMap((feed) =>
      feed instanceof OwnFeed ? [[feed.source, feed.partition, feed.seal(epoch)] as const] : [],
    )
    const inFlight: InFlight[] = []
    for (const feed of feeds) {
      if (!(feed instanceof ChannelFeed) || feed.backlog === 0) continue
      const waiting = feed.waiting()
      const frames = framesOf(waiting, this.codecs[feed.channel.repartition.id] as ChannelCodec)
      inFlight.push({ feed: feed.name, base: waiting[0]?.baseOffset ?? 0, frames })
    }
    return {
      positions,
      ...(sources.length === 0 ? {} : { sources }),
      clock: { w: clock.kept, streamTime: clock.streamTime, wall: task.parts.wallTime.clock.kept },
      times: Object.fromEntries(
        feeds.map(({ name, time: { w, max, idle } }) => [
          name,
          { w: w === Number.POSITIVE_INFINITY ? clock.kept : w, max, idle },
        ]),
      ),
      finished: task.finished,
      rows: this.stores.get(task.id)?.rowCounts() ?? {},
      inFlight,
    }
  }

  private make(sub: SubTopology, partition: number): Task {
    const { host } = this
    const taskId = `${sub.id}_${partition}`
    const saved = this.saved(sub, partition)
    const rec = new CurrentRecord()
    const program: Program = programOf(sub)
    const clock = new TaskClock(
      () => rec.none(),
      (error, step) => this.failures.meet(error, step, rec),
    )
    if (saved) {
      clock.w = saved.clock.w
      clock.target = saved.clock.w
      clock.streamTime = saved.clock.streamTime
    }
    const wall = new WallClock(() => host.now())
    const wallTime = new WallTime(
      wall,
      clock,
      saved?.clock.wall ?? Number.NEGATIVE_INFINITY,
      () => rec.none(),
      (error, step) => this.failures.meet(error, step, rec),
    )
    const stores = new TaskStores(
      sub.stores,
      { reader: host.reader, storeId: (name) => host.storeId(name, sub.id) },
      partition,
      this.epoch,
      this.pool,
      host.options.strict,
    )
    this.stores.set(taskId, stores)
    const fail: ProgramEnv['fail'] = (error, at, key, value) => this.failures.meet(error, at, rec, key, value)
    const instance = new Instance(sub, {
      ctx: {
        clock,
        wall,
        wallTime,
        dropped: (step, reason) => this.counters.of(`${step}.dropped.${reason}`),
        clears: this.clearing,
        careful: host.options.careful,
        copy: copyValue,
        counter: (name) => this.counters.of(name),
        fail,
        strict: host.options.strict,
      },
      rec,
      wall,
      stores,
      outputs: host.outputs,
      partition,
      strict: host.options.strict,
      maxInFlight: host.options.maxInFlight,
      wake: () => host.wake?.(),
      random: () => host.random?.() ?? Math.random(),
      outletsOf: (repartition) => this.wiring.outlets(repartition, partition),
      outbox: host.openSource && ((node) => this.outbox(node, sub, partition, rec)),
      services: (step, store) => ({
        taskId,
        clock,
        wall,
        rec,
        store,
        eventTimers: stores.keyValue(`${step.name}.timers`),
        wallTimers: stores.keyValue(`${step.name}.wall-timers`),
        counter: (name) => this.userCounter(name),
        gauge: () => {},
        guarded: (id, fn) => {
          try {
            fn()
          } catch (error) {
            fail(error, id)
          }
        },
      }),
    })
    const meter = new TaskMeter(
      this.plan.steps.length,
      sub.inputs.map(({ id }) => id),
    )
    clock.meter = meter
    const linked = program.link({
      rec,
      meter,
      clock,
      fail,
      ops: instance.ops,
      strict: host.options.strict,
      codegen: host.options.codegen,
      tombstones: (step) => this.counters.of(`${step.name}.dropped.tombstone`),
      keyless: (step) => this.counters.of(`${step.name}.dropped.null-key`),
    })
    const time = new TaskTime(clock)
    const feeds = this.feeding.of(sub, partition, time, linked, meter, saved)
    this.resume(feeds, time, sub, partition, saved)
    const channels = sub.steps.flatMap(({ op }): readonly Link[] =>
      op.kind === 'repartitionWrite'
        ? (instance.gates.get(op.repartition.id) ?? this.wiring.outlets(op.repartition.id, partition))
        : [],
    )
    for (const { op } of sub.steps) {
      if (op.kind !== 'repartitionWrite') continue
      const links = instance.gates.get(op.repartition.id) ?? this.wiring.outlets(op.repartition.id, partition)
      for (const link of links) link.echo = this.wiring.leadsBack(op.repartition.id)
    }
    if (saved?.rows !== undefined) stores.goOnFrom(saved.rows)
    const task: Task = new Task({
      finished: saved?.finished ?? false,
      sub,
      partition,
      clock,
      time,
      wall,
      wallTime,
      feeds,
      channels,
      asyncs: instance.asyncs,
      outboxes: instance.outboxes,
      partials: instance.partials,
      end: () => {
        rec.none()
        for (const process of instance.processes) process.end()
      },
      close: () => instance.close(),
      prefetch: (feed, from, to) => program.prefetch(feed, from, to, stores, meter),
      meter,
    })
    for (const feed of feeds) {
      if (!(feed instanceof ChannelFeed)) continue
      const { repartition, producer } = feed.channel
      feed.slot = this.transport?.inlet(repartition, producer, partition, feed, () => task.waiting)
    }
    return task
  }

  private outbox(node: DeliverNode, sub: SubTopology, partition: number, rec: CurrentRecord): Outbox {
    const { host } = this
    const rows = new OutboxRows(statePrefix(host.storeId(outboxStore(node.name), sub.id), partition))
    return new Outbox(node, rows, host.reader, host.outputs, rec)
  }

  /** Watermarks and what was in flight, as they were when the epoch was sealed. */
  private resume(
    feeds: readonly Feed[],
    time: TaskTime,
    sub: SubTopology,
    partition: number,
    saved: TaskMeta | undefined,
  ): void {
    if (saved === undefined) return
    for (const feed of feeds) Object.assign(feed.time, saved.times[feed.name])
    time.arrange()
    const row = this.host.reader.get(this.lateKey(sub, partition))
    const late = row === undefined ? [] : (decodeValue(row) as InFlight[])
    if (row !== undefined) this.late.add(`${sub.id}_${partition}`)
    for (const inFlight of [...saved.inFlight, ...late]) {
      const feed = feeds.find(({ name }) => name === inFlight.feed)
      if (!(feed instanceof ChannelFeed)) continue
      const codec = this.codecs[feed.channel.repartition.id] as ChannelCodec
      putBack(inFlight, codec, feed.channel)
    }
  }

  private metaKey(sub: SubTopology, partition: number): Buffer {
    return Buffer.concat([this.metaPrefix(sub, partition), Buffer.from(sub.name)])
  }

  private metaPrefix(sub: SubTopology, partition: number): Buffer {
    return statePrefix(this.host.storeId(TASKS, sub.id), partition)
  }

  private lateKey(sub: SubTopology, partition: number): Buffer {
    return Buffer.concat([this.metaKey(sub, partition), Buffer.from(LATE)])
  }

  private saved(sub: SubTopology, partition: number): TaskMeta | undefined {
    const { reader } = this.host
    const bytes = reader.get(this.metaKey(sub, partition))
    const prefix = this.metaPrefix(sub, partition)
    for (const key of abandoned(reader, prefix, this.plan.subs)) this.gone.push(key)
    return bytes === undefined ? adopted(reader, prefix, sub) : (decodeValue(bytes) as TaskMeta)
  }

  private userCounter(name: string): { add(n?: number): void } {
    const counter = this.counters.of(`user.${name}`)
    return { add: (n = 1) => void (counter.n += n) }
  }
}
