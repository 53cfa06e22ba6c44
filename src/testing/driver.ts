import { partitionOf } from '../connectors/broker/partitioner.ts'
import type { SourceNode } from '../dsl/plan/index.ts'
import type { StoreHandle, StoreOf } from '../dsl/stores/index.ts'
import { type Duration, type Timestamp, toMs } from '../dsl/time/index.ts'
import type { Topology } from '../dsl/topology/index.ts'
import { planOf } from '../dsl/topology/plan-of.ts'
import { holdToManifest, manifestOf } from '../engine/app/state/manifest.ts'
import { compile } from '../engine/plan/compile.ts'
import { partitionCounts } from '../engine/plan/partitions.ts'
import type { PhysicalPlan } from '../engine/plan/physical.ts'
import { rawAt } from '../engine/runtime/failures/dead-letter.ts'
import { EpochAborted } from '../engine/runtime/failures/errors.ts'
import { TopicFeed } from '../engine/runtime/inputs/feed.ts'
import { TaskGroup } from '../engine/runtime/tasks/group.ts'
import type { TaskId } from '../engine/runtime/host.ts'
import { Outputs } from '../engine/runtime/outputs.ts'
import { topicsOf } from '../engine/runtime/inputs/topics.ts'
import { DhaaraError } from '../errors/index.ts'
import { MemoryBackend } from '../state/backends/memory.ts'
import { driverStore } from './driver-store.ts'
import { driverHost } from './host.ts'
import { DriverInputs, isSendRecord } from './inputs.ts'
import { MemoryLog } from './memory-log.ts'
import type { DriverOptions, InnerDriverOptions, SendOptions, TestInput } from './options.ts'
import { DriverOutputs, type TestOutput } from './outputs.ts'
import { randomFrom } from './random.ts'
import { type DriverSnapshot, seal, type SnapshotContent, snapshotRows, unseal } from './snapshot.ts'

/**
 * Runs a topology in this thread, synchronously, on the generated code that apps run. Time is the test's: the clock
 * stands still unless `advanceWallClock` moves it.
 *
 * `checkpoint` keeps state, positions, watermarks and timers; `crash` goes back to the last one: what was sent since
 * then is forgotten and to be sent again, and outputs since then that were not read are gone.
 *
 * Dead letters are in the topic 'dead-letters'. Errors under the policy `fail` (the default, see the option
 * `errors`) are thrown from the call that caused them.
 *
 * @example
 * const driver = new TopologyTestDriver(topology)
 * driver.input('orders').send({ total: 5 }, { key: 'c1', timestamp: 0 })
 * driver.output('totals').readAll()
 */
export class TopologyTestDriver implements Disposable {
  private readonly plan: PhysicalPlan
  private readonly options: InnerDriverOptions
  private readonly log = new MemoryLog()
  private readonly inputs: DriverInputs
  private readonly outputs: DriverOutputs
  private readonly sources: readonly SourceNode[]
  private readonly storeIds = new Map<string, number>()
  private readonly partitions: readonly number[]
  private backend = new MemoryBackend()
  private sink: Outputs
  private group: TaskGroup
  private last: SnapshotContent
  private now: number
  private readonly ended = new Set<string>()
  /** Topics that were sent to: sources may read them by a pattern. */
  private readonly topics = new Set<string>()
  private closed = false
  /** The first of the running call. */
  private failure: DhaaraError | undefined
  private woken: () => void = () => {}
  private readonly random: () => number

  constructor(topology: Topology, options: DriverOptions = {}) {
    this.options = options
    this.random = randomFrom(options.seed ?? 1)
    this.now = options.startTime ?? 0
    this.plan = compile(planOf(topology))
    this.sources = this.plan.logical.nodes.filter((node) => node.kind === 'source')
    this.inputs = new DriverInputs(this.sources, this.log, this.count, () => this.now)
    this.outputs = new DriverOutputs(this.plan)
    this.partitions = partitionCounts(this.plan, () => this.count, [], this.count)
    this.last =
      options.restore === undefined
        ? {
            rows: [],
            storeIds: [],
            offsets: [],
            now: this.now,
            ended: [],
            topics: [],
            epoch: 1,
            manifest: manifestOf(this.plan),
          }
        : unseal(options.restore)
    holdToManifest('the checkpoint', this.last.manifest, manifestOf(this.plan), this.plan)
    this.sink = new Outputs(() => 1)
    this.group = this.begin()
    this.endAgain()
  }

  /**
   * Of a topic, or of a source that is none: then `read` is not called.
   * @throws DhaaraError DHAARA_TOPIC_UNKNOWN if no source reads this topic
   */
  // biome-ignore lint/suspicious/noExplicitAny: untyped unless the caller says more
  input<K = any, V = any>(topic: string): TestInput<K, V> {
    const source = this.inputs.sourceOf(topic)
    this.meet(topic, source)
    return {
      send: (value, opts = {}) => {
        this.inputs.add(topic, source, value, opts)
        this.flush(topic)
      },
      sendAll: (records) => {
        let waiting = 0
        for (const record of records) {
          const given = record as SendOptions<K> & { value: V | null }
          const wrapped = typeof record === 'object' && record !== null && 'value' in record && isSendRecord(record)
          this.inputs.add(topic, source, wrapped ? given.value : record, wrapped ? given : {})
          if (++waiting >= (this.options.batchSize ?? 1)) {
            this.flush(topic)
            waiting = 0
          }
        }
        this.flush(topic)
      },
      sendBytes: (value, opts = {}) => {
        this.inputs.addBytes(topic, opts.key ?? null, value, opts)
        this.flush(topic)
      },
      end: () => {
        this.ended.add(topic)
        const feeds = this.feedsOf(topic)
        this.run(() => {
          for (const feed of feeds) feed.time.end()
        })
      },
    }
  }

  /** Of a topic, or of a sink that is none: then `write` is not called. */
  // biome-ignore lint/suspicious/noExplicitAny: untyped unless the caller says more
  output<K = any, V = any>(topic: string): TestOutput<K, V> {
    return this.outputs.output(topic) as TestOutput<K, V>
  }

  store<H extends StoreHandle>(handle: H): StoreOf<H>
  // biome-ignore lint/suspicious/noExplicitAny: by name, types are unknown
  store(name: string): any
  store(handle: string | StoreHandle): unknown {
    return driverStore(this.plan, this.group, typeof handle === 'string' ? handle : handle.name, () => this.now)
  }

  /** Moves the clock, and runs what it makes due. */
  advanceWallClock(d: Duration): void {
    this.now += toMs(d)
    this.run(() => this.group.tick())
  }

  /** Runs async steps to rest; `send` alone never resolves them. */
  async settled(): Promise<void> {
    this.run()
    while (this.group.calling > 0) {
      await new Promise<void>((resolve) => {
        this.woken = resolve
      })
      this.run()
    }
  }

  /** Moves the watermark of an input, as sources with `watermarks.none()` need it. */
  advanceWatermark(topic: string, to: Timestamp): void {
    const feeds = this.feedsOf(topic)
    this.run(() => {
      for (const feed of feeds) feed.time.raise(to)
    })
  }

  checkpoint(): DriverSnapshot {
    this.needOpen()
    const epoch = this.write()
    this.last = {
      rows: snapshotRows(this.backend),
      storeIds: [...this.storeIds],
      offsets: this.log.offsets(),
      now: this.now,
      ended: [...this.ended],
      topics: [...this.topics],
      epoch: epoch + 1,
      manifest: manifestOf(this.plan),
    }
    this.outputs.mark()
    return seal(this.last)
  }

  /** What the tasks have changed goes into the backend. Returns the epoch. */
  private write(): number {
    const batch = this.backend.batch()
    const clears: [Uint8Array, Uint8Array][] = []
    const epoch = this.group.seal({
      put: (key, value) => batch.put(key, value),
      delete: (key) => batch.delete(key),
      clearLater: (gte, lt) => void clears.push([gte, lt]),
    })
    batch.commit()
    this.group.written(epoch)
    for (const [gte, lt] of clears) this.backend.clearRange(gte, lt)
    return epoch
  }

  /** The first that is heard of a topic: tasks whose source reads it by a pattern are made anew. */
  private meet(topic: string, { topics }: SourceNode): void {
    if (this.topics.has(topic)) return
    this.needOpen()
    this.topics.add(topic)
    if (!(topics instanceof RegExp)) return
    const epoch = this.write()
    this.group.abandon()
    this.group = this.tasks(epoch + 1)
    this.endAgain()
  }

  /** @throws DhaaraError DHAARA_APP_STATE */
  private needOpen(): void {
    if (this.closed)
      throw new DhaaraError('DHAARA_APP_STATE', 'found a driver that was closed, expected an open one; make another')
  }

  /** Back to the last checkpoint (or to the beginning): what was sent since is to be sent again. */
  crash(): void {
    this.outputs.rollback()
    this.group.abandon()
    this.group = this.begin()
    this.endAgain()
  }

  /** The end of all inputs. */
  end(): void {
    this.run(() => {
      for (const feed of this.feeds()) {
        this.ended.add(feed.topic)
        feed.time.end()
      }
    })
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    const [error] = this.group.close()
    if (error !== undefined) throw error
  }

  [Symbol.dispose](): void {
    this.close()
  }

  private get count(): number {
    return this.options.partitions ?? 1
  }

  /** A group on what the last checkpoint holds. */
  private begin(): TaskGroup {
    const { rows, storeIds, offsets, now, ended, topics, epoch } = this.last
    this.backend = new MemoryBackend()
    const batch = this.backend.batch()
    for (const [key, value] of rows) batch.put(key, value)
    batch.commit()
    this.storeIds.clear()
    for (const [name, id] of storeIds) this.storeIds.set(name, id)
    this.log.reset(offsets)
    this.now = now
    this.ended.clear()
    for (const topic of ended) this.ended.add(topic)
    this.topics.clear()
    for (const topic of topics) this.topics.add(topic)
    this.sink = new Outputs(() => 1)
    return this.tasks(epoch)
  }

  private tasks(epoch: number): TaskGroup {
    const ids: TaskId[] = this.plan.subs.flatMap(({ id }) =>
      Array.from({ length: this.partitions[id] as number }, (_, partition) => ({ sub: id, partition })),
    )
    return new TaskGroup(
      this.plan,
      this.partitions,
      ids,
      driverHost(
        {
          reader: this.backend,
          outputs: this.sink,
          log: this.log,
          storeIds: this.storeIds,
          topics: () => [...this.topics],
          now: () => this.now,
          wake: () => this.woken(),
          random: this.random,
          fail: (error) => {
            this.failure ??= error
          },
        },
        this.options,
      ),
      epoch,
    )
  }

  /** What had ended at the checkpoint has ended. */
  private endAgain(): void {
    for (const feed of this.feeds()) if (this.ended.has(feed.topic)) feed.time.end()
    this.run()
  }

  private feeds(): TopicFeed[] {
    return this.group.feeds(TopicFeed)
  }

  private flush(topic: string): void {
    for (let partition = 0; partition < this.count; partition++) this.log.flush(topic, partition)
    this.run()
  }

  /** To rest; what sinks wrote into topics that sources read goes round. What has failed is thrown at the end. */
  private run(first?: () => void): void {
    this.guarded(() => {
      first?.()
      do this.group.run(Number.POSITIVE_INFINITY)
      while (this.collect())
    })
  }

  private collect(): boolean {
    let looped = false
    for (const { topic, partition, frame } of this.sink.take()) {
      const batch = this.outputs.take(topic, partition, frame)
      if (batch === undefined || !this.sources.some((source) => topicsOf(source, [topic]).includes(topic))) continue
      looped = true
      for (let i = 0; i < batch.count; i++) {
        const { key, value, timestamp } = rawAt(batch, i)
        const target = this.count === 1 || key === null ? 0 : partitionOf(key, this.count)
        this.log.add(topic, target, key, value, timestamp, batch.headers?.[i])
      }
      for (let p = 0; p < this.count; p++) this.log.flush(topic, p)
    }
    return looped
  }

  private guarded(fn: () => void): void {
    this.needOpen()
    try {
      fn()
    } catch (error) {
      throw error instanceof EpochAborted ? error.cause : error
    }
    const { failure } = this
    this.failure = undefined
    if (failure !== undefined) throw failure
  }

  private feedsOf(topic: string): TopicFeed[] {
    this.inputs.sourceOf(topic)
    return this.feeds().filter((feed) => feed.topic === topic)
  }
}
