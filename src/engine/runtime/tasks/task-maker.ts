import type { DeliverNode } from '../../../dsl/plan/index.ts'
import { copyValue } from '../../../state/codec/index.ts'
import { type CachePool, statePrefix } from '../../../state/stores/index.ts'
import type { ProgramEnv } from '../../codegen/interpret.ts'
import { type Program, programOf } from '../../codegen/program.ts'
import { Outbox } from '../../connect/outbox.ts'
import { outboxStore, OutboxRows } from '../../connect/outbox-rows.ts'
import { formerTimes } from '../../rescale/former-times.ts'
import { TaskMeter } from '../../metrics/task-meter.ts'
import type { OperatorContext } from '../../operators/operator.ts'
import type { PhysicalPlan, SubTopology } from '../../plan/physical.ts'
import { TaskClock } from '../../time/clock.ts'
import { TaskTime } from '../../time/inputs.ts'
import { WallClock } from '../../time/wall.ts'
import { WallTime } from '../../time/wall-time.ts'
import type { Link } from '../channels/channel.ts'
import type { Counters } from '../counters.ts'
import { Failures } from '../failures/failures.ts'
import { ChannelFeed } from '../inputs/feed.ts'
import { dropCopies, globalStores } from '../steps/global-tables.ts'
import type { Host } from '../host.ts'
import { Instance } from '../steps/instance.ts'
import type { Links } from '../channels/links.ts'
import { CurrentRecord } from '../record.ts'
import { TaskStores } from '../steps/stores.ts'
import { Backlog } from './backlog.ts'
import { Task } from './task.ts'
import { TaskFeeds } from '../inputs/task-feeds.ts'
import type { TaskRows } from './task-rows.ts'
import type { Wiring } from '../channels/wiring.ts'

/** What the tasks of one thread share. */
export interface TaskParts {
  readonly plan: PhysicalPlan
  readonly host: Host
  readonly counters: Counters
  readonly pool: CachePool
  readonly wiring: Wiring
  readonly rows: TaskRows
  /** Ranges that go with the next epoch. */
  readonly clearing: OperatorContext['clears']
  /** The epoch that they begin with. */
  readonly epoch: number
  /** Where some tasks of the plan run on other threads. */
  readonly transport: Links | undefined
}

/** Makes tasks as they were when their last epoch was written. */
export class TaskMaker {
  /** Of the tasks that were made, by task id. */
  readonly stores = new Map<string, TaskStores>()
  private readonly plan: PhysicalPlan
  private readonly host: Host
  private readonly counters: Counters
  private readonly pool: CachePool
  private readonly wiring: Wiring
  private readonly rows: TaskRows
  private readonly clearing: OperatorContext['clears']
  private readonly epoch: number
  private readonly transport: Links | undefined
  private readonly feeding: TaskFeeds
  private readonly failures: Failures

  constructor({ plan, host, counters, pool, wiring, rows, clearing, epoch, transport }: TaskParts) {
    this.plan = plan
    this.host = host
    this.counters = counters
    this.pool = pool
    this.wiring = wiring
    this.rows = rows
    this.clearing = clearing
    this.epoch = epoch
    this.transport = transport
    this.feeding = new TaskFeeds(host, counters, wiring)
    this.failures = new Failures(plan, host, counters)
  }

  /** @param keeper whose global tables it reads, if not its own */
  make(sub: SubTopology, partition: number, keeper?: Task): Task {
    const { host } = this
    const taskId = `${sub.id}_${partition}`
    const saved = this.rows.saved(sub, partition)
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
      clock.former = formerTimes(this.plan, sub, saved.clock)
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
      keeper && {
        by: this.stores.get(keeper.id) as TaskStores,
        names: new Set(globalStores(sub).map(({ name }) => name)),
      },
    )
    if (keeper !== undefined) dropCopies(host, sub, partition, this.clearing)
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
    const feeds = this.feeding.of(sub, partition, time, linked, meter, saved, keeper === undefined)
    this.rows.resume(feeds, time, sub, partition, saved)
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
      backlog: new Backlog(
        taskId,
        feeds,
        ({ channel }) => this.wiring.upstream.ofProducer(channel.repartition.id, channel.producer),
        host.options.mostWaiting,
      ),
      keeper,
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
      const waiting = () => task.waiting && !feed.channel.held
      feed.slot = this.transport?.inlet(repartition, producer, partition, feed, waiting)
    }
    return task
  }

  private outbox(node: DeliverNode, sub: SubTopology, partition: number, rec: CurrentRecord): Outbox {
    const { host } = this
    const rows = new OutboxRows(statePrefix(host.storeId(outboxStore(node.name), sub.id), partition))
    return new Outbox(node, rows, host.reader, host.outputs, rec)
  }

  private userCounter(name: string): { add(n?: number): void } {
    const counter = this.counters.of(`user.${name}`)
    return { add: (n = 1) => void (counter.n += n) }
  }
}
