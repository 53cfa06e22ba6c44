import type { DeliverNode } from '../../dsl/plan/index.ts'
import type { BackendReader } from '../../state/backend.ts'
import { after, statePrefix } from '../../state/stores/index.ts'
import type { Settings } from '../app/settings/options.ts'
import type { PhysicalPlan } from '../plan/physical.ts'
import { Lane, type Settle } from './lane.ts'
import { outboxStore, OutboxRows } from './outbox-rows.ts'

export interface DeliveryHost {
  readonly reader: BackendReader
  readonly settings: Settings
  storeId(name: string, sub: number): number
  /** Of a sub-topology, those whose sinks are written here. */
  partitions(sub: number): readonly number[]
  /** How many there are anywhere. */
  count(sub: number): number
  readonly settle: Settle
  /** See `LaneParts`. */
  readonly holds?: () => boolean
  /** There is room again. */
  wake(): void
  /** A sink is given up: so is the app. */
  failed(error: unknown): void
}

/** Inputs go on when what waits has shrunk to this share of what may. */
const roomAgain = 0.6

/** Longest time that sinks may take to let go when the app has failed, ms. */
const patience = 5000

interface SinkLanes {
  readonly node: DeliverNode
  readonly lanes: readonly Lane[]
}

/** Brings what was committed for sinks of the user's own to them, task by task, each in its order. */
export class Deliveries {
  private readonly host: DeliveryHost
  private readonly sinks: readonly SinkLanes[]
  private readonly abort = new AbortController()
  private held = false

  constructor(plan: PhysicalPlan, host: DeliveryHost) {
    this.host = host
    this.sinks = plan.steps.flatMap(({ op, sub }) => (op.kind === 'deliver' ? [this.open(op, sub)] : []))
  }

  /** Puts sinks where they were, and writes what waits. */
  start(): void {
    this.look()
  }

  /** An epoch is written. */
  committed(): void {
    if (this.sinks.length > 0) this.look()
  }

  /** A slow sink: inputs are to wait. */
  get full(): boolean {
    const over = (share: number) =>
      this.sinks.some(({ node, lanes }) => pending(lanes) > node.own.maxPendingBytes * share)
    this.held = over(this.held ? roomAgain : 1)
    return this.held
  }

  /** The sinks have all that was committed, as far as was looked. */
  get idle(): boolean {
    return this.lanes.every((lane) => lane.idle && lane.pending === 0)
  }

  /** Resolves when the sinks have all that was committed. */
  async drained(): Promise<void> {
    for (let busy = true; busy; ) {
      this.look()
      busy = this.lanes.some((lane) => !lane.idle)
      await Promise.all(this.lanes.map((lane) => lane.settled()))
    }
  }

  /** Writes what was committed, as far as it goes without trying again what fails; then lets go of the sinks. */
  async stop(timeout?: number): Promise<void> {
    const late = Promise.withResolvers<void>()
    const timer = timeout === undefined ? undefined : setTimeout(late.resolve, timeout)
    this.look()
    for (const lane of this.lanes) lane.leaveSoon()
    const settled = Promise.all(this.lanes.map((lane) => lane.settled()))
    await Promise.race([settled, late.promise])
    this.abort.abort()
    const closed = Promise.allSettled(this.lanes.map((lane) => lane.close()))
    await Promise.race([closed, late.promise])
    clearTimeout(timer)
  }

  /** Others take over: each lane ends the epoch that it is in. One that takes too long is told to give up, then not waited for. */
  async leave(): Promise<void> {
    const closed = Promise.allSettled(this.lanes.map((lane) => lane.close()))
    for (const give of [() => this.abort.abort(), () => {}]) {
      const late = Promise.withResolvers<boolean>()
      const timer = setTimeout(() => late.resolve(true), patience)
      const over = await Promise.race([late.promise, closed.then(() => false)])
      clearTimeout(timer)
      if (!over) return
      give()
    }
  }

  /** The app has failed: nothing more is begun. */
  async end(): Promise<void> {
    this.abort.abort()
    // a sink that does not heed its signal is not waited for
    const late = Promise.withResolvers<void>()
    const timer = setTimeout(late.resolve, patience)
    await Promise.race([Promise.allSettled(this.lanes.map((lane) => lane.close())), late.promise])
    clearTimeout(timer)
  }

  private get lanes(): readonly Lane[] {
    return this.sinks.flatMap(({ lanes }) => lanes)
  }

  private look(): void {
    for (const lane of this.lanes) lane.look((error) => this.host.failed(error))
  }

  private open(node: DeliverNode, sub: number): SinkLanes {
    const { host } = this
    const { reader, settings } = host
    const { applicationId, clock, logger } = settings
    const store = host.storeId(outboxStore(node.name), sub)
    const partitions = host.partitions(sub)
    const left = orphans(reader, store, host.count(sub))
    const lanes = [...partitions, ...left].map((partition) => {
      const id = `${node.name}-${partition}`
      const warn = (message: string, fields?: object) => logger.warn({ sink: node.name, partition, ...fields }, message)
      return new Lane({
        node,
        rows: new OutboxRows(statePrefix(store, partition)),
        reader,
        task: {
          applicationId,
          name: node.name,
          partition,
          partitions: host.count(sub),
          id,
          signal: this.abort.signal,
          warn,
        },
        clock,
        settle: host.settle,
        holds: host.holds,
        delivered: () => {
          if (this.held) host.wake()
        },
      })
    })
    return { node, lanes }
  }
}

const pending = (lanes: readonly Lane[]): number => lanes.reduce((sum, lane) => sum + lane.pending, 0)

/** Tasks that are no more, since there were more partitions once, and that have something to deliver. */
function orphans(reader: BackendReader, store: number, count: number): number[] {
  const found: number[] = []
  const end = after(statePrefix(store, 0).subarray(0, 3))
  for (let next = count; next <= 0xffff; ) {
    let partition: number | undefined
    for (const [key] of reader.range({ gte: statePrefix(store, next), lt: end, limit: 1 }))
      partition = ((key[3] as number) << 8) | (key[4] as number)
    if (partition === undefined) break
    const rows = new OutboxRows(statePrefix(store, partition))
    if (rows.sealed(reader).epoch > rows.delivered(reader).epoch) found.push(partition)
    next = partition + 1
  }
  return found
}
