import type { DeliverNode, OwnSourceSpec, SourceNode } from '../../dsl/plan/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import { copyValue, decodeValue, encodeValue } from '../../state/codec/index.ts'
import { CachePool, type Sealer, statePrefix } from '../../state/stores/index.ts'
import type { ProgramEnv } from '../codegen/interpret.ts'
import { type Linked, type Program, programOf } from '../codegen/program.ts'
import { sourceStart } from '../connect/chunk.ts'
import { Outbox } from '../connect/outbox.ts'
import { outboxStore, OutboxRows } from '../connect/outbox-rows.ts'
import { OwnFeed } from '../connect/source-feed.ts'
import { TaskMeter } from '../metrics/task-meter.ts'
import { reportTask, type TaskReport } from '../metrics/task-report.ts'
import type { Counter } from '../operators/operator.ts'
import { waitedFor } from '../plan/versioned.ts'
import type { PhysicalPlan, Repartition, Step, SubTopology } from '../plan/physical.ts'
import { TaskClock } from '../time/clock.ts'
import { type InputTime, TaskTime } from '../time/inputs.ts'
import { WallClock } from '../time/wall.ts'
import { WallTime } from '../time/wall-time.ts'
import { Channel, type Link } from './channel.ts'
import { type ChannelCodec, channelCodec } from './channel-codec.ts'
import { type DecodePolicy, SourceDecoder } from './decode.ts'
import { EpochAborted, invalidAt, userError } from './errors.ts'
import { ChannelFeed, type Feed, InputFeed, type Runs, TopicFeed } from './feed.ts'
import type { Host, TaskId, Refusal } from './host.ts'
import { Instance } from './instance.ts'
import { framesOf, type InFlight, putBack } from './in-flight.ts'
import { CurrentRecord } from './record.ts'
import { valueSerde } from '../connect/value-serde.ts'
import type { TaskFlows } from '../query/applied.ts'
import type { Links } from './links.ts'
import type { RemoteOutlet } from './remote-outlet.ts'
import { type PartitionSource, SharedTopic } from './shared-topic.ts'
import { TaskStores } from './stores.ts'
import { Task } from './task.ts'
import { abandoned, adopted, LATE, type TaskMeta } from './task-meta.ts'
import { topicsOf } from './topics.ts'

/** Its id is the app's own, as those of its other stores: apps may share one database. */
export const TASKS = '$tasks'

/**
 * The tasks of one thread: runs them, seals what they changed, puts them back to what was written last.
 * Knows nothing of threads, files or waiting.
 */
export class TaskGroup {
  readonly tasks: Task[] = []
  readonly counters = new Map<string, Counter>()
  readonly stores = new Map<string, TaskStores>()
  private readonly plan: PhysicalPlan
  private readonly host: Host
  private readonly partitions: readonly number[]
  private readonly pool: CachePool
  private readonly order: readonly Task[]
  private readonly channels = new Map<string, Channel>()
  private clears: [Uint8Array, Uint8Array][] = []
  private readonly clearing = { clearLater: (gte: Uint8Array, lt: Uint8Array) => void this.clears.push([gte, lt]) }
  private readonly outs = new Map<string, Channel | RemoteOutlet>()
  private readonly globals = new Map<string, SharedTopic>()
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
    this.partitions = partitions
    this.host = host
    this.epoch = epoch
    this.transport = transport
    this.pool = new CachePool(host.options.cacheBytes)
    this.codecs = plan.repartitions.map(channelCodec)
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
      (error, step) => this.fail(error, step, rec),
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
      (error, step) => this.fail(error, step, rec),
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
    const fail: ProgramEnv['fail'] = (error, at, key, value) => this.fail(error, at, rec, key, value)
    const instance = new Instance(sub, {
      ctx: {
        clock,
        wall,
        wallTime,
        dropped: (step, reason) => this.counter(`${step}.dropped.${reason}`),
        clears: this.clearing,
        careful: host.options.careful,
        copy: copyValue,
        counter: (name) => this.counter(name),
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
      outletsOf: (repartition) => this.outlets(repartition, partition),
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
      tombstones: (step) => this.counter(`${step.name}.dropped.tombstone`),
      keyless: (step) => this.counter(`${step.name}.dropped.null-key`),
    })
    const time = new TaskTime(clock)
    const feeds = this.feeds(sub, partition, time, linked, meter, saved)
    const channels = sub.steps.flatMap(({ op }): readonly Link[] =>
      op.kind === 'repartitionWrite'
        ? (instance.gates.get(op.repartition.id) ?? this.outlets(op.repartition.id, partition))
        : [],
    )
    for (const { op } of sub.steps) {
      if (op.kind !== 'repartitionWrite') continue
      const links = instance.gates.get(op.repartition.id) ?? this.outlets(op.repartition.id, partition)
      for (const link of links) link.echo = this.leadsBack(op.repartition.id)
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

  private feeds(
    sub: SubTopology,
    partition: number,
    time: TaskTime,
    { inputs, timed }: Linked,
    meter: TaskMeter,
    saved: TaskMeta | undefined,
  ): Feed[] {
    const { host } = this
    const streams = sub.inputs.some((step) => !step.table)
    const waited = waitedFor(sub)
    const feeds: Feed[] = []
    for (const step of sub.inputs) {
      const { op } = step
      const runs = { run: inputs[step.id] as Feed['run'], timed: timed[step.id] as Feed['run'] }
      const counted = !step.table || !streams || waited.has(step)
      if (op.kind === 'repartitionRead') {
        const { id, broadcast } = op.repartition
        const echo = this.leadsBack(id)
        for (const channel of this.incoming(id, partition))
          feeds.push(new ChannelFeed(step, time.add(counted && !broadcast), runs, channel, echo))
      } else if (op.kind === 'source' && op.own !== undefined) {
        if (host.openSource === undefined || partition < op.own.partitions)
          feeds.push(this.ownFeed(step, op, op.own, partition, time.add(counted, op.watermark), runs, meter, saved))
      } else if (op.kind === 'source') {
        for (const topic of topicsOf(op, this.host.topics())) {
          const count = this.host.partitionsOf(topic)
          const mine = op.global ? Array.from({ length: count }, (_, p) => p) : partition < count ? [partition] : []
          for (const p of mine)
            feeds.push(this.topicFeed(step, op, topic, p, time.add(counted, op.watermark), runs, meter, saved))
        }
      }
    }
    this.resume(feeds, time, sub, partition, saved)
    return feeds
  }

  private outbox(node: DeliverNode, sub: SubTopology, partition: number, rec: CurrentRecord): Outbox {
    const { host } = this
    const rows = new OutboxRows(statePrefix(host.storeId(outboxStore(node.name), sub.id), partition))
    return new Outbox(node, rows, host.reader, host.outputs, rec)
  }

  private ownFeed(
    step: Step,
    op: SourceNode,
    own: OwnSourceSpec,
    partition: number,
    time: InputTime,
    runs: Runs,
    meter: TaskMeter,
    saved: TaskMeta | undefined,
  ): Feed {
    const { host } = this
    if (host.openSource === undefined)
      return this.topicFeed(step, withCodec(op), step.name, partition, time, runs, meter, saved)
    const start = saved?.sources?.find(([name, p]) => name === step.name && p === partition)?.[2] ?? sourceStart
    const reader = host.openSource(own, { name: step.name, partition }, start)
    const feed = new OwnFeed(step, time, runs, partition, start, reader, this.decodePolicy())
    feed.activeAt = host.now()
    return feed
  }

  private decodePolicy(refused?: ReadonlyMap<number, Refusal>): DecodePolicy {
    const { host } = this
    return {
      invalid: (error, source, batch, i) => {
        const action = host.onDataError(error, source, batch, i)
        if (action === 'fail' || action === 'retry') throw new EpochAborted(invalidAt(error, source, batch, i))
        if (action === 'deadLetter') host.deadLetterRaw(error, batch, i)
        this.counter(`${source.name}.invalid`).n++
      },
      latest: () => host.now() + host.options.maxTimestampAhead,
      refused: refused === undefined ? undefined : new Set(refused.keys()),
      refuse: (source, batch, i) => {
        const refusal = refused?.get(batch.offsets[i] as number)
        if (refusal?.deadLetter) host.deadLetterRaw(refusal.error, batch, i)
        this.counter(`${source.name}.refused`).n++
      },
    }
  }

  private topicFeed(
    step: Step,
    op: SourceNode,
    topic: string,
    partition: number,
    time: InputTime,
    runs: Runs,
    meter: TaskMeter,
    saved: TaskMeta | undefined,
  ): TopicFeed {
    const { host } = this
    const decoder = new SourceDecoder(op, topic, partition, this.decodePolicy(host.refused?.(topic, partition)))
    const position = saved?.positions.find(
      ([name, at, p]) => name === step.name && at === topic && p === partition,
    )?.[3]
    // a topic that has come since the task was there is read from its beginning
    const since = saved !== undefined && op.topics instanceof RegExp
    const start = position ?? host.startOffset(since ? { ...op, offsetReset: 'earliest' } : op, topic, partition)
    const source = {
      fetch: (offset: number) => host.fetch(topic, partition, offset),
      behind: (offset: number) => host.behind(topic, partition, offset),
    }
    const { fetch, behind } = op.global ? this.shared(topic, partition, source).reader(start) : source
    const feed = new TopicFeed(step, time, runs, topic, partition, start, {
      fetch,
      decode: (fetched, from, to) => {
        const began = performance.now()
        const batch = decoder.decode(fetched, from, to)
        meter.add(step.id, performance.now() - began)
        return batch
      },
      behind,
    })
    feed.activeAt = host.now()
    return feed
  }

  private shared(topic: string, partition: number, source: PartitionSource): SharedTopic {
    const name = `${topic}/${partition}`
    const shared = this.globals.get(name) ?? new SharedTopic(source)
    this.globals.set(name, shared)
    return shared
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

  /** Channels that a task's repartition write fills, by partition. */
  private outlets(repartition: number, producer: number): (Channel | RemoteOutlet)[] {
    if (this.plan.repartitions[repartition]?.local) return [this.outlet(repartition, producer, producer)]
    const reader = this.readerOf(repartition)
    const count = this.partitions[reader.sub] as number
    return Array.from({ length: count }, (_, partition) => this.outlet(repartition, producer, partition))
  }

  private outlet(id: number, producer: number, partition: number): Channel | RemoteOutlet {
    const name = `${id}:${producer}:${partition}`
    const known = this.outs.get(name)
    if (known) return known
    const outlet =
      this.transport?.outlet(this.plan.repartitions[id] as Repartition, producer, partition) ??
      this.channel(id, producer, partition)
    this.outs.set(name, outlet)
    return outlet
  }

  /** Channels into a task, one a producing task. */
  private incoming(repartition: number, partition: number): Channel[] {
    const writers = this.plan.steps.filter(
      ({ op }) => op.kind === 'repartitionWrite' && op.repartition.id === repartition,
    )
    const local = this.plan.repartitions[repartition]?.local === true
    return writers.flatMap((writer) =>
      local
        ? [this.channel(repartition, partition, partition)]
        : Array.from({ length: this.partitions[writer.sub] as number }, (_, producer) =>
            this.channel(repartition, producer, partition),
          ),
    )
  }

  /** Does a sub-topology write what it reads? */
  private leadsBack(repartition: number): boolean {
    const { sub } = this.readerOf(repartition)
    return this.plan.steps.some(
      (step) => step.sub === sub && step.op.kind === 'repartitionWrite' && step.op.repartition.id === repartition,
    )
  }

  private readerOf(repartition: number): Step {
    return this.plan.steps.find(({ op }) => op.kind === 'repartitionRead' && op.repartition.id === repartition) as Step
  }

  private channel(id: number, producer: number, partition: number): Channel {
    const name = `${id}:${producer}:${partition}`
    const known = this.channels.get(name)
    if (known) return known
    const repartition = this.plan.repartitions[id]
    if (repartition === undefined) throw new DhaaraError('DHAARA_INTERNAL', `no repartition ${id}`)
    const channel = new Channel(repartition, producer, partition)
    this.channels.set(name, channel)
    return channel
  }

  private fail(error: unknown, at: number, rec: CurrentRecord, key?: unknown, value?: unknown): void {
    if (error instanceof EpochAborted) throw error
    const step = this.plan.steps[at]
    const wrapped = userError(error, step?.name ?? 'unknown', rec)
    const action = this.host.onUserError(wrapped, rec)
    if (action === 'fail') throw new EpochAborted(wrapped)
    if (action === 'retry') throw new EpochAborted(new RetryEpoch(wrapped))
    if (step !== undefined && needsCare(step) && !this.host.options.careful)
      throw new EpochAborted(new CarefulReplay(wrapped))
    if (action === 'deadLetter') {
      rec.lost = { key, value }
      this.host.deadLetter(wrapped, rec)
      rec.lost = undefined
    }
    this.counter(`${step?.name ?? 'unknown'}.failed`).n++
  }

  private counter(name: string): Counter {
    let counter = this.counters.get(name)
    if (counter === undefined) {
      counter = { n: 0 }
      this.counters.set(name, counter)
    }
    return counter
  }

  private userCounter(name: string): { add(n?: number): void } {
    const counter = this.counter(`user.${name}`)
    return { add: (n = 1) => void (counter.n += n) }
  }
}

/** Where a source's records come as those of a topic: what has no serde takes the one that state has. */
const withCodec = (op: SourceNode): SourceNode =>
  op.value === undefined ? { ...op, key: valueSerde, value: valueSerde } : op

/** May a step whose user code throws have changed something half-way? An aggregate, or some of a record's windows. */
function needsCare({ op }: Step): boolean {
  const node = op.kind === 'partial' ? op.node : op
  if (!('spec' in node)) return false
  const windows = node.kind === 'aggregate' ? node.windows : undefined
  return !node.spec.pure || (windows !== undefined && severalAtOnce.has(windows.kind))
}

/** A record is in several of them. */
const severalAtOnce = new Set<string>(['hopping', 'cumulative', 'sliding'])

/** An adder may have changed its aggregate half-way: the epoch is replayed in the mode that copies before each call. */
export class CarefulReplay extends Error {
  override readonly cause: unknown
  constructor(cause: unknown) {
    super('replay with copies')
    this.cause = cause
  }
}

/** A policy asked for the epoch to be tried again. */
export class RetryEpoch extends Error {
  override readonly cause: unknown
  constructor(cause: unknown) {
    super('try the epoch again')
    this.cause = cause
  }
}

/** Tasks in the direction of the flow: whoever sends comes before whoever receives. */
function inFlow(plan: PhysicalPlan, tasks: readonly Task[]): Task[] {
  const depth = new Map<number, number>()
  const depthOf = (sub: number): number => {
    const known = depth.get(sub)
    if (known !== undefined) return known
    depth.set(sub, 0)
    const sources = plan.steps.flatMap(({ op, sub: reader }) =>
      op.kind === 'repartitionRead' && reader === sub
        ? plan.steps
            .filter((step) => step.op.kind === 'repartitionWrite' && step.op.repartition.id === op.repartition.id)
            .map((step) => step.sub)
        : [],
    )
    const own = sources.length === 0 ? 0 : Math.max(...sources.map(depthOf)) + 1
    depth.set(sub, own)
    return own
  }
  return [...tasks].sort((a, b) => depthOf(a.parts.sub.id) - depthOf(b.parts.sub.id))
}
