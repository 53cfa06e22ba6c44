/**
 * The engine's own groups, transports and epochs on one thread, a step at a time: a schedule says which worker runs, which
 * order reaches whom, when an epoch is opened or written, and when everything is lost but the database.
 */
import type { FrameBuilder } from '../../../../src/connectors/broker/frame-builder.ts'
import { LogReader } from '../../../../src/connectors/broker/log-reader.ts'
import { EmbeddedLog } from '../../../../src/connectors/embedded/log.ts'
import { planOf } from '../../../../src/dsl/topology/plan-of.ts'
import { Coordinator } from '../../../../src/engine/app/workers/coordinator.ts'
import { StoreIds } from '../../../../src/engine/app/state/identity.ts'
import type { EpochStats, Part } from '../../../../src/engine/app/workers/worker-protocol.ts'
import { compile } from '../../../../src/engine/plan/compile.ts'
import { partitionCounts } from '../../../../src/engine/plan/partitions.ts'
import { Bells } from '../../../../src/engine/runtime/channels/bells.ts'
import { writeEpoch } from '../../../../src/engine/runtime/commit.ts'
import { EpochPack, unpack } from '../../../../src/state/epoch-pack.ts'
import { TopicFeed } from '../../../../src/engine/runtime/inputs/feed.ts'
import { TaskGroup } from '../../../../src/engine/runtime/tasks/group.ts'
import type { Host } from '../../../../src/engine/runtime/host.ts'
import { Outputs } from '../../../../src/engine/runtime/outputs.ts'
import { sharedTransport, Transport } from '../../../../src/engine/runtime/channels/transport.ts'
import type { Topology } from '../../../../src/index.ts'
import { MemoryBackend } from '../../../../src/state/backends/memory.ts'
import { asBuffer } from '../../../../src/state/codec/index.ts'

export interface WorldOptions {
  readonly workers: number
  readonly partitions: number
  readonly ringBytes: number
  readonly creditBytes: number
  readonly cacheBytes: number
  /** Records a slice. */
  readonly batchSize: number
  /** Records that may wait for a task. */
  readonly mostWaiting?: number
  /** See `GroupOptions`. */
  readonly maxTaskIdle?: number
  /** What user code throws stops the world unless this says otherwise. */
  readonly onUserError?: Host['onUserError']
}

type Order = { readonly type: 'seal' | 'written'; readonly epoch: number }

interface Sealed {
  readonly epoch: number
  readonly pack: EpochPack
  readonly frames: Part['frames']
  readonly ended: boolean
}

interface SimWorker {
  readonly group: TaskGroup
  readonly transport: Transport
  readonly outputs: Outputs
  readonly orders: Order[]
  readonly sealed: Sealed[]
}

const noStats: EpochStats = {
  processed: 0,
  recordsIn: 0,
  recordsOut: 0,
  counters: [],
  watermark: 0,
  positions: [],
  flows: [],
}

export class World {
  readonly log: EmbeddedLog
  crashes = 0
  /** The end of the job is in the database. */
  complete = false
  /** Records that ever waited for a task, behind a turn of its worker. */
  mostBacklog = 0
  private readonly plan
  private readonly options: WorldOptions
  private readonly backend = new MemoryBackend()
  private readonly ids: StoreIds
  private counts: readonly number[] = []
  private workers: SimWorker[] = []
  private coordinator: Coordinator
  private generation = 0
  private now = 0

  constructor(topology: Topology, options: WorldOptions) {
    this.plan = compile(planOf(topology))
    this.options = options
    this.log = new EmbeddedLog(this.backend)
    this.ids = new StoreIds(this.backend, 'world')
    this.coordinator = new Coordinator(options.workers, 0)
  }

  /** Appends what the builders hold, one a partition, in one commit. */
  append(topic: string, builders: readonly FrameBuilder[]): void {
    const transaction = this.log.begin(this.backend.batch())
    for (const [partition, builder] of builders.entries())
      if (builder.count > 0) transaction.append(topic, partition, builder.finish())
    transaction.commit()
  }

  /** To be called when the topics are there: they have all that they will have. */
  start(): void {
    const names = this.log.topics().map(({ name }) => name)
    this.counts = partitionCounts(this.plan, (topic) => this.partitionsOf(topic), names)
    this.restore()
  }

  /** One worker's turn: what has come, a slice, what is to be sent. */
  run(w: number): number {
    this.now += 7
    const { group } = this.workers[w] as SimWorker
    group.tick()
    const processed = group.run(this.options.batchSize)
    for (const { backlog } of group.report()) this.mostBacklog = Math.max(this.mostBacklog, backlog)
    return processed
  }

  open(): void {
    if (!this.coordinator.roomy) return
    const epoch = this.coordinator.open()
    for (const { orders } of this.workers) orders.push({ type: 'seal', epoch })
  }

  /** The next order reaches a worker. */
  obey(w: number): void {
    const { group, outputs, orders, sealed } = this.workers[w] as SimWorker
    const order = orders.shift()
    if (order?.type === 'written') group.written(order.epoch)
    if (order?.type !== 'seal') return
    group.drain()
    const pack = new EpochPack()
    const { ended } = group
    const epoch = group.seal(pack)
    sealed.push({ epoch, pack, frames: outputs.take(), ended })
  }

  /** A worker hands over what is complete. */
  handOver(w: number): void {
    const { group, transport, sealed } = this.workers[w] as SimWorker
    for (let first = sealed[0]; first !== undefined; first = sealed[0]) {
      transport.receive()
      transport.flush()
      const inFlight = transport.complete(first.epoch)
      if (inFlight === undefined) return
      sealed.shift()
      group.sealLate(first.pack, inFlight)
      const { epoch, pack, frames, ended } = first
      this.coordinator.add(w, { epoch, pack: pack.take(), frames, ended, stats: noStats })
    }
  }

  write(): void {
    const parts = this.coordinator.whole
    if (parts === undefined) return
    const { clears } = writeEpoch(
      this.backend,
      this.log,
      (sealer) => {
        for (const { pack } of parts) unpack(pack, sealer)
      },
      () => parts.flatMap(({ frames }) => frames.map((one) => ({ ...one, frame: asBuffer(one.frame) }))),
      false,
    )
    for (const [gte, lt] of clears) this.backend.clearRange(gte, lt)
    const epoch = this.coordinator.done()
    for (const { orders } of this.workers) orders.push({ type: 'written', epoch })
    this.complete = parts.every(({ ended }) => ended)
  }

  /** All is lost but the database. */
  crash(): void {
    this.crashes++
    this.restore()
  }

  /** Each in turn, until the end is written. @returns false if it never is: something waits for ever */
  finish(): boolean {
    for (let round = 0; round < 100_000 && !this.complete; round++) {
      for (let w = 0; w < this.options.workers; w++) this.run(w)
      if (round % 5 === 0) this.open()
      for (let w = 0; w < this.options.workers; w++) {
        this.obey(w)
        this.handOver(w)
      }
      this.write()
    }
    return this.complete
  }

  private restore(): void {
    const { workers, ringBytes, creditBytes } = this.options
    const { plan, counts } = this
    this.complete = false
    this.generation++
    const epoch = this.coordinator.written + 1
    this.coordinator = new Coordinator(workers, epoch - 1)
    const shared = sharedTransport(plan, counts, this.generation, workers, ringBytes, creditBytes)
    const bells = new Bells(Bells.memory(workers))
    this.workers = Array.from({ length: workers }, (_, w) => {
      const transport = new Transport(w, plan, counts, shared, bells, epoch)
      const outputs = new Outputs((topic) => this.partitionsOf(topic))
      const tasks = plan.subs.flatMap(({ id }) =>
        Array.from({ length: counts[id] as number }, (_unused, partition) => ({ sub: id, partition })).filter(
          ({ partition }) => partition % workers === w,
        ),
      )
      const group = new TaskGroup(plan, counts, tasks, this.host(outputs), epoch, transport)
      for (const task of group.tasks) {
        for (const feed of task.parts.feeds)
          if (feed instanceof TopicFeed) feed.until = this.log.endOffset(feed.topic, feed.partition)
      }
      return { group, transport, outputs, orders: [], sealed: [] }
    })
  }

  private partitionsOf(topic: string): number {
    return this.log.topic(topic)?.partitions ?? this.log.createTopic(topic, this.options.partitions).partitions
  }

  private host(outputs: Outputs): Host {
    const { backend, log, ids, options } = this
    const reader = new LogReader(backend)
    const refuse = (error: Error): never => {
      throw error
    }
    return {
      reader: backend,
      outputs,
      storeId: (name) => ids.idOf(name),
      partitionsOf: (topic) => this.partitionsOf(topic),
      topics: () => log.topics().map(({ name }) => name),
      // in memory of its own, which is used for something else when it is done with
      fetch: (topic, partition, offset) => {
        const found = reader.fetch(topic, partition, offset, 1024)
        return found && { ...found, data: Buffer.from(found.data) }
      },
      done: ({ data }) => void data.fill(0xff),
      behind: (topic, partition, offset) => log.endOffset(topic, partition) > offset,
      startOffset: () => 0,
      now: () => this.now,
      onUserError: options.onUserError ?? refuse,
      onDataError: refuse,
      deadLetter() {},
      deadLetterRaw() {},
      options: {
        careful: false,
        strict: false,
        codegen: true,
        cacheBytes: options.cacheBytes,
        maxTimestampAhead: Number.MAX_SAFE_INTEGER,
        maxTaskIdle: options.maxTaskIdle ?? 1000,
        emptyIdle: Number.MAX_SAFE_INTEGER,
        batchSize: options.batchSize,
        mostWaiting: { records: options.mostWaiting ?? 16_384, bytes: Number.POSITIVE_INFINITY },
      },
    }
  }
}
