import type {
  AsyncNode,
  DeliverNode,
  MatchNode,
  PlanNode,
  StoreSpec,
  TransformValuesNode,
  UserFn,
} from '../../../dsl/plan/index.ts'
import { DhaaraError } from '../../../errors/index.ts'
import { compareKeys } from '../../../state/codec/index.ts'
import { observedSink } from '../../connect/observed.ts'
import type { Outbox } from '../../connect/outbox.ts'
import type { AsyncGate } from '../../operators/async/gate.ts'
import { MapAsync } from '../../operators/async/map-async.ts'
import { Broadcast } from '../../operators/process/broadcast.ts'
import { Deduplicate, type Seen } from '../../operators/deduplicate.ts'
import { KeptForeignJoin } from '../../operators/foreign/join.ts'
import { GlobalJoin } from '../../operators/join/global-join.ts'
import { eventCodec } from '../../operators/match/event-codec.ts'
import { Match } from '../../operators/match/match.ts'
import type { OperatorContext } from '../../operators/operator.ts'
import type { PartialAggregate } from '../../operators/aggregate/partial-aggregate.ts'
import { Process } from '../../operators/process/process.ts'
import type { ProcessServices } from '../../operators/process/process-services.ts'
import { stateContext } from '../../operators/process/state-context.ts'
import { TableJoin } from '../../operators/join/table-join.ts'
import type { TableReader } from '../../operators/table/table-reader.ts'
import { KeptRows, TableStore, VersionedStore } from '../../operators/table/table-store.ts'
import { TransformRows } from '../../operators/table/transform-rows.ts'
import { comesAsRead } from '../../plan/as-read.ts'
import type { Step, SubTopology } from '../../plan/physical.ts'
import type { WallClock } from '../../time/wall.ts'
import { BroadcastWriter, type Channel, ChangeWriter, type Outlet, RepartitionWriter } from '../channels/channel.ts'
import { unsupported } from '../failures/errors.ts'
import { aggregated, type Aggregating, partialAggregate, tableAggregated } from './aggregates.ts'
import { expire } from './expiring.ts'
import { foreignJoin, foreignLookup, foreignSend, type Joining, streamJoin, streamTableJoin } from './joins.ts'
import type { Outputs } from '../outputs.ts'
import type { CurrentRecord } from '../record.ts'
import { processorStores } from './processor-stores.ts'
import { SinkWriter } from './sink.ts'
import type { TaskStores } from './stores.ts'
import { suppressed } from './suppressed.ts'
import { shownRows, tableRows } from './table-rows.ts'
import { UserCode, supplied } from './user-code.ts'
import { frozenSupplier } from './user-functions.ts'

/** What the steps of one task are made with. */
export interface InstanceParts {
  readonly ctx: OperatorContext
  readonly rec: CurrentRecord
  readonly wall: WallClock
  readonly stores: TaskStores
  readonly outputs: Outputs
  readonly partition: number
  /** Freeze what user code must not change. */
  readonly strict: boolean
  readonly maxInFlight: number | undefined
  readonly wake: () => void
  readonly random: () => number
  readonly outletsOf: (repartition: number) => readonly Outlet[]
  /** undefined: what goes to sinks of the user's own is to be seen as topics. */
  readonly outbox: ((node: DeliverNode) => Outbox) | undefined
  readonly services: (step: Step, store: ProcessServices['store']) => ProcessServices
}

/** Makes the operators of one task, by step id. */
export class Instance {
  readonly ops: Record<number, object> = {}
  /** User code that is told of the end. */
  readonly processes: { readonly stepId: number; end(): void; close(): void }[] = []
  /** Steps that wait for answers. */
  readonly asyncs: MapAsync[] = []
  /** Steps that are sinks of the user's own. */
  readonly outboxes: Outbox[] = []
  /** First phases of aggregations. */
  readonly partials: PartialAggregate[] = []
  /** Their channels' ends, by repartition. */
  readonly gates = new Map<number, readonly AsyncGate[]>()
  private readonly parts: InstanceParts
  private readonly sub: SubTopology
  private readonly code: UserCode
  private readonly aggregating: Aggregating

  constructor(sub: SubTopology, parts: InstanceParts) {
    this.sub = sub
    this.parts = parts
    this.code = new UserCode(sub, parts.strict, parts.rec)
    const { ctx, stores, wall } = parts
    const { code, ops } = this
    this.aggregating = { ctx, stores, code }
    stores.onExpiring = (name, table) => expire(name, table, { ctx, stores, wall, code, ops })
    for (const step of sub.steps) {
      const op = this.operator(step)
      if (op !== undefined) this.ops[step.id] = op
    }
  }

  /** Closes what user code has opened. */
  close(): DhaaraError[] {
    const errors: DhaaraError[] = []
    for (const process of this.processes) {
      try {
        process.close()
      } catch (error) {
        const name = this.sub.steps.find(({ id }) => id === process.stepId)?.name ?? 'unknown'
        const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
        const message = `step '${name}' threw as it was closed: ${text}`
        errors.push(new DhaaraError('DHAARA_USER_CODE', message, { step: name, cause: error }))
      }
    }
    return errors
  }

  private operator(step: Step): object | undefined {
    const { ctx, stores, rec, outputs } = this.parts
    const { id, name, op } = step
    switch (op.kind) {
      case 'source':
      case 'filter':
      case 'mapValues':
      case 'toTable':
        return 'store' in op && op.store !== undefined ? this.kept(step, op.store) : undefined
      case 'aggregate':
        return aggregated(step, op, this.aggregating)
      case 'partial': {
        const operator = partialAggregate(step, op.node, op.port, this.aggregating)
        this.partials.push(operator)
        return operator
      }
      case 'tableAggregate':
        return tableAggregated(step, op, this.aggregating)
      case 'tableJoin':
        return this.tableJoin(step)
      case 'streamTableJoin':
        return streamTableJoin(step, op, this.rows(step.inputs[1] as Step), this.joining(step, op.joiner))
      case 'streamJoin':
        return streamJoin(step, op, this.joining(step, op.joiner))
      case 'streamGlobalJoin': {
        const fns = { lookup: this.code.fn(op.lookup, name), joiner: this.code.fn(op.joiner, name, 3) }
        return new GlobalJoin(id, name, op.how, fns, this.rows(step.inputs[1] as Step), rec, ctx)
      }
      case 'foreignSend': {
        const parts = { ...this.parts, copy: this.code.copyFor(step) }
        return foreignSend(step, op.node, this.code.fn(op.node.foreignKey, op.node.name), parts)
      }
      case 'foreignLookup':
        return foreignLookup(step, op.node, this.rows(step.inputs[1] as Step), stores)
      case 'foreignJoin': {
        const join = foreignJoin(step, op, this.joining(step, op.joiner))
        return op.store === undefined ? join : new KeptForeignJoin(join, this.kept(step, op.store))
      }
      case 'process':
        return this.process(step, op)
      case 'match':
        return this.match(step, op)
      case 'broadcast':
        return new Broadcast(name, stores.keyValue(op.store.name), this.code.copyFor(step), ctx)
      case 'mapAsync':
        return this.mapAsync(step, op)
      case 'transformValues':
        return this.transformValues(step, op)
      case 'suppress':
        return suppressed(step, op, stores, ctx, this.ops, this.code.copyFor(step))
      case 'deduplicate': {
        const table = stores.due<Seen>(op.store.name, Math.max(1, Math.ceil(op.within / 8)))
        const by = this.code.fn(op.by, name, 2)
        const operator = new Deduplicate(id, name, by, op.within, op.keep, table, this.code.copyFor(step), rec, ctx)
        ctx.clock.add(operator)
        return operator
      }
      case 'sink':
        return new SinkWriter(op, outputs, rec, this.parts.partition, comesAsRead(step.inputs[0] as Step, op.value))
      case 'deliver': {
        const outbox = this.parts.outbox?.(op)
        if (outbox === undefined) return new SinkWriter(observedSink(op), outputs, rec, this.parts.partition, false)
        this.outboxes.push(outbox)
        return outbox
      }
      case 'split':
        return ctx.dropped(name, 'no-branch')
      case 'tableGroup':
        return { same: (a: unknown, b: unknown) => compareKeys(a, b) === 0 }
      case 'repartitionWrite': {
        const outlets = this.parts.outletsOf(op.repartition.id)
        const later = step.inputs[0] === undefined ? undefined : this.ops[step.inputs[0].id]
        if (op.repartition.local && later instanceof MapAsync) {
          const gate = later.gate(outlets[0] as Channel)
          this.gates.set(op.repartition.id, [gate])
          return new RepartitionWriter(op.repartition, outlets, gate, rec, undefined)
        }
        const copy = this.code.copyFor(step)
        if (op.repartition.broadcast) return new BroadcastWriter(outlets, ctx.clock, rec, copy)
        const Writer = op.repartition.change ? ChangeWriter : RepartitionWriter
        return new Writer(op.repartition, outlets, ctx.clock, rec, copy)
      }
      case 'map':
      case 'flatMap':
      case 'flatMapValues':
      case 'selectKey':
      case 'peek':
      case 'forEach':
      case 'merge':
      case 'branch':
      case 'group':
      case 'toStream':
      case 'late':
      case 'repartitionRead':
        return undefined
      default:
        throw unsupported(op.kind, name)
    }
  }

  private mapAsync(step: Step, op: AsyncNode): object {
    const { ctx, wall, rec, stores, wake, random, maxInFlight } = this.parts
    const operator = new MapAsync(step.id, step.name, op, {
      clock: ctx.clock,
      wall,
      rec,
      table: stores.keyValue(`${step.name}.requests`),
      maxInFlight: maxInFlight ?? op.concurrency * 2,
      wake,
      random,
      fail: ctx.fail,
      copy: this.code.copyFor(step),
      fn: this.code.fn(op.fn, step.name),
      fallback: op.fallback,
    })
    this.asyncs.push(operator)
    return operator
  }

  private transformValues(step: Step, op: TransformValuesNode): object {
    const { ctx, stores } = this.parts
    const asked = step.outputs.some(({ to }) => to.op.kind !== 'toStream' && to.op.kind !== 'late')
    const name = op.store?.name ?? (asked ? shownRows(step) : undefined)
    const kept =
      name === undefined
        ? undefined
        : new TableStore(step.id, step.name, stores.keyValue(name), ctx, this.code.copyFor(step))
    const services = this.parts.services(step, this.storesOf(step, op.stores))
    const guard = (fn: UserFn) => this.code.fn(fn, step.name, 2)
    const operator = supplied(step, () => new TransformRows(step.id, op.supplier, stateContext(services), guard, kept))
    this.processes.push(operator)
    return operator
  }

  /** What joins are made with. */
  private joining(step: Step, joiner: UserFn): Joining {
    const { ctx, stores } = this.parts
    return { ctx, stores, joiner: this.code.fn(joiner, step.name, 3), copy: this.code.copyFor(step) }
  }

  private tableJoin(step: Step): object {
    const op = step.op as Extract<PlanNode, { kind: 'tableJoin' }>
    const [left, right] = step.inputs as [Step, Step]
    const join = new TableJoin(
      step.id,
      step.name,
      op.how,
      this.code.fn(op.joiner, step.name, 3),
      this.rows(left),
      this.rows(right),
      // a kept join knows what was there
      step.needsOld && op.store === undefined,
      this.parts.ctx,
    )
    return op.store === undefined ? join : new KeptRows(join, this.kept(step, op.store))
  }

  /** Keeps a table's rows, with their past where the store is versioned. */
  private kept(step: Step, store: StoreSpec): TableStore | VersionedStore {
    const { ctx, stores } = this.parts
    const { id, name } = step
    const copy = this.code.copyFor(step)
    if (store.kind === 'versioned') return new VersionedStore(id, name, stores.versioned(store.name), ctx, copy)
    return new TableStore(id, name, stores.keyValue(store.name), ctx, copy)
  }

  private rows(step: Step): TableReader {
    return tableRows(step, { stores: this.parts.stores, ops: this.ops, code: this.code })
  }

  private process(step: Step, op: Extract<PlanNode, { kind: 'process' }>): object {
    const supplier = this.parts.strict ? frozenSupplier(op.supplier, step.name) : op.supplier
    const services = this.parts.services(step, this.storesOf(step, op.stores))
    const process = supplied(step, () => new Process(step.id, supplier, op.valuesOnly, services))
    this.processes.push(process)
    return process
  }

  private match(step: Step, op: MatchNode): object {
    const { ctx, stores, rec, wall } = this.parts
    return new Match(step.id, step.name, op, ctx, {
      wall,
      rec,
      table: stores.parts(op.store.name),
      codec: eventCodec(op.events, op.store.name),
      copy: this.code.copyFor(step),
    })
  }

  private storesOf(step: Step, listed: readonly string[]): ProcessServices['store'] {
    const { stores, rec, strict } = this.parts
    return processorStores(step, listed, { stores, code: this.code, rec, strict })
  }
}
