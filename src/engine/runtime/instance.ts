import type {
  AggregateNode,
  AggregateSpec,
  AsyncNode,
  DeliverNode,
  MatchNode,
  PlanNode,
  StoreSpec,
  TransformValuesNode,
  UserFn,
} from '../../dsl/plan/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import { compareKeys, copyValue, keyId, deepFreeze } from '../../state/codec/index.ts'
import { KeyValueAccess, ReadOnlyKeyValue } from '../access/key-value.ts'
import { ListAccess } from '../access/list.ts'
import { MatchAccess } from '../access/match.ts'
import { VersionedAccess, VersionedTableAccess } from '../access/versioned.ts'
import { observedSink } from '../connect/observed.ts'
import type { Outbox } from '../connect/outbox.ts'
import { KeyAggregate } from '../operators/aggregate.ts'
import type { ExpiringTable, VersionedTable } from '../../state/stores/index.ts'
import { Expiry } from '../operators/expiry.ts'
import type { EmitChange, OperatorContext } from '../operators/operator.ts'
import { type ForeignJoin, KeptForeignJoin } from '../operators/foreign/join.ts'
import { GlobalJoin } from '../operators/global-join.ts'
import { eventCodec } from '../operators/match/event-codec.ts'
import { Match } from '../operators/match/match.ts'
import type { AsyncGate } from '../operators/async/gate.ts'
import { MapAsync } from '../operators/async/map-async.ts'
import { Broadcast } from '../operators/broadcast.ts'
import { Deduplicate, type Seen } from '../operators/deduplicate.ts'
import { mergingSpec, PartialAggregate } from '../operators/partial-aggregate.ts'
import { Process, type ProcessServices } from '../operators/process.ts'
import { stateContext } from '../operators/state-context.ts'
import { TransformRows } from '../operators/transform-rows.ts'
import { TableAggregate } from '../operators/table-aggregate.ts'
import { TableJoin } from '../operators/table-join.ts'
import {
  derivedRows,
  KeptRows,
  StoredRows,
  type TableReader,
  TableStore,
  VersionedRows,
  VersionedStore,
} from '../operators/table-store.ts'
import type { Step, SubTopology } from '../plan/physical.ts'
import { versionedRoot } from '../plan/versioned.ts'
import { foreignJoin, foreignLookup, foreignSend, type Joining, streamJoin, streamTableJoin } from './joins.ts'
import { BroadcastWriter, type Channel, ChangeWriter, type Outlet, RepartitionWriter } from './channel.ts'
import type { Outputs } from './outputs.ts'
import { assigner, isAssigned } from '../time/assign.ts'
import type { WallClock } from '../time/wall.ts'
import type { CurrentRecord } from './record.ts'
import { SinkWriter } from './sink.ts'
import type { TaskStores } from './stores.ts'
import { userError } from './errors.ts'
import { changesInPlace, addingCopies } from './in-place.ts'
import { frozen, frozenSpec, frozenSupplier } from './user-functions.ts'
import { suppressed } from './suppressed.ts'
import { windowedAggregate, windowedAccess } from './windowed.ts'

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

  constructor(sub: SubTopology, parts: InstanceParts) {
    this.sub = sub
    this.parts = parts
    parts.stores.onExpiring = (name, table) => this.expire(name, table)
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

  /** Rows with a time to live: their step tells that they are gone. */
  private expire(name: string, table: ExpiringTable): void {
    const { ctx, stores, wall } = this.parts
    const owner = this.ownerOf(name)
    const byWall = stores.spec(name)?.ttlClock === 'wall'
    const clock = byWall ? ctx.wallTime.clock : ctx.clock
    const expiry = new Expiry(owner?.id ?? -1, table, clock, (key, row, at) => {
      if (owner === undefined) return
      const { op, needsOld } = owner
      const shown = 'spec' in op && op.spec.result !== undefined ? op.spec.result(row) : row
      ;(this.ops[owner.id] as { out: EmitChange }).out(key, null, needsOld ? shown : undefined, at)
    })
    if (!byWall) {
      table.onArmed = (at) => ctx.clock.notice(at)
      ctx.clock.add(expiry)
      return
    }
    table.writtenAt = () => wall.now()
    table.onArmed = (at) => {
      ctx.wallTime.clock.notice(at)
      ctx.wallTime.leave()
    }
    ctx.wallTime.add(expiry)
  }

  private operator(step: Step): object | undefined {
    const { ctx, stores, rec, outputs } = this.parts
    const { id, name, op, needsOld } = step
    switch (op.kind) {
      case 'source':
      case 'filter':
      case 'mapValues':
      case 'toTable':
        return 'store' in op && op.store !== undefined ? this.kept(step, op.store) : undefined
      case 'aggregate':
        return this.aggregate(step, op)
      case 'partial':
        return this.partial(step, op.node, op.port)
      case 'tableAggregate':
        return new TableAggregate(
          id,
          name,
          this.specOf(step, op.spec),
          stores.keyValue(op.store.name),
          needsOld,
          ctx,
          this.past(op.store),
        )
      case 'tableJoin':
        return this.tableJoin(step)
      case 'streamTableJoin':
        return streamTableJoin(step, op, this.rows(step.inputs[1] as Step), this.joining(step, op.joiner))
      case 'streamJoin':
        return streamJoin(step, op, this.joining(step, op.joiner))
      case 'streamGlobalJoin': {
        const fns = { lookup: this.user(op.lookup, name), joiner: this.user(op.joiner, name, 3) }
        return new GlobalJoin(id, name, op.how, fns, this.rows(step.inputs[1] as Step), rec, ctx)
      }
      case 'foreignSend': {
        const parts = { ...this.parts, copy: this.copyFor(step) }
        return foreignSend(step, op.node, this.user(op.node.foreignKey, op.node.name), parts)
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
        return new Broadcast(name, stores.keyValue(op.store.name), this.copyFor(step), ctx)
      case 'mapAsync':
        return this.mapAsync(step, op)
      case 'transformValues':
        return this.transformValues(step, op)
      case 'suppress':
        return suppressed(step, op, stores, ctx, this.ops, this.copyFor(step))
      case 'deduplicate': {
        const table = stores.due<Seen>(op.store.name, Math.max(1, Math.ceil(op.within / 8)))
        const by = this.user(op.by, name, 2)
        const operator = new Deduplicate(id, name, by, op.within, op.keep, table, this.copyFor(step), rec, ctx)
        ctx.clock.add(operator)
        return operator
      }
      case 'sink':
        return new SinkWriter(op, outputs, rec, this.parts.partition)
      case 'deliver': {
        const outbox = this.parts.outbox?.(op)
        if (outbox === undefined) return new SinkWriter(observedSink(op), outputs, rec, this.parts.partition)
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
        const copy = this.copyFor(step)
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

  private aggregate(step: Step, op: AggregateNode): object {
    const { ctx, stores } = this.parts
    const merges = step.inputs.every((input) => input.op.kind === 'repartitionRead' && input.op.repartition.partial)
    const spec = merges ? mergingSpec(op.spec) : this.specOf(step, op.spec)
    if (op.windows === undefined)
      return new KeyAggregate(
        step.id,
        step.name,
        spec,
        stores.keyValue(op.store.name),
        step.needsOld,
        ctx,
        this.past(op.store),
      )
    return windowedAggregate(step, { ...op, spec }, stores, ctx, merges)
  }

  private past(store: StoreSpec): VersionedTable | undefined {
    return store.kind === 'versioned' ? this.parts.stores.versioned(store.name) : undefined
  }

  private partial(step: Step, node: AggregateNode, port: number): object {
    const { ctx } = this.parts
    const { windows } = node
    const assigned = windows !== undefined && isAssigned(windows) ? windows : undefined
    const grace = assigned !== undefined && 'grace' in assigned ? assigned.grace : 0
    const windowing = assigned && { assign: assigner(assigned), grace }
    const spec = this.specOf(step, node.spec)
    const operator = new PartialAggregate(step.id, node.name, spec, port, windowing, keyId, ctx)
    ctx.clock.add(operator)
    this.partials.push(operator)
    return operator
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
      copy: this.copyFor(step),
      fn: this.user(op.fn, step.name),
      fallback: op.fallback,
    })
    this.asyncs.push(operator)
    return operator
  }

  private transformValues(step: Step, op: TransformValuesNode): object {
    const { ctx, stores } = this.parts
    const asked = step.outputs.some(({ to }) => to.op.kind !== 'toStream' && to.op.kind !== 'late')
    const name = op.store?.name ?? (asked ? `${step.name}.rows` : undefined)
    const kept =
      name === undefined
        ? undefined
        : new TableStore(step.id, step.name, stores.keyValue(name), ctx, this.copyFor(step))
    const services = this.parts.services(step, (handle) => this.access(handle, op.stores, step))
    const guard = (fn: UserFn) => this.user(fn, step.name, 2)
    const operator = supplied(step, () => new TransformRows(step.id, op.supplier, stateContext(services), guard, kept))
    this.processes.push(operator)
    return operator
  }

  /** What joins are made with. */
  private joining(step: Step, joiner: UserFn): Joining {
    const { ctx, stores } = this.parts
    return { ctx, stores, joiner: this.user(joiner, step.name, 3), copy: this.copyFor(step) }
  }

  private tableJoin(step: Step): object {
    const op = step.op as Extract<PlanNode, { kind: 'tableJoin' }>
    const [left, right] = step.inputs as [Step, Step]
    const join = new TableJoin(
      step.id,
      step.name,
      op.how,
      this.user(op.joiner, step.name, 3),
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
    const copy = this.copyFor(step)
    if (store.kind === 'versioned') return new VersionedStore(id, name, stores.versioned(store.name), ctx, copy)
    return new TableStore(id, name, stores.keyValue(store.name), ctx, copy)
  }

  /** The rows of a table: stored, or derived from what is stored upstream. */
  rows(step: Step): TableReader {
    const { op } = step
    if ('store' in op && op.store !== undefined) {
      const result = 'spec' in op ? op.spec.result : undefined
      if (versionedRoot(step) === step) return new VersionedRows(this.parts.stores.versioned(op.store.name), result)
      return new StoredRows(this.parts.stores.keyValue(op.store.name), result)
    }
    const input = step.inputs[0] as Step
    if (op.kind === 'mapValues') return derivedRows(this.rows(input), this.derive(op.fn, step.name))
    if (op.kind === 'filter') {
      const passes = this.derive(op.fn, step.name)
      return derivedRows(this.rows(input), (value, key) =>
        Boolean(passes(value, key)) !== op.negate ? value : undefined,
      )
    }
    if (op.kind === 'tableJoin' || op.kind === 'foreignJoin') return this.ops[step.id] as TableJoin | ForeignJoin
    if (op.kind === 'transformValues') return new StoredRows(this.parts.stores.keyValue(`${step.name}.rows`))
    throw unsupported(`reading the rows of '${step.name}' (${op.kind})`, step.name)
  }

  private process(step: Step, op: Extract<PlanNode, { kind: 'process' }>): object {
    const supplier = this.parts.strict ? frozenSupplier(op.supplier, step.name) : op.supplier
    const services = this.parts.services(step, (handle) => this.access(handle, op.stores, step))
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
      copy: this.copyFor(step),
    })
  }

  /** A store as a processor may use it. */
  private access(handle: string | { readonly name: string }, listed: readonly string[], step: Step): unknown {
    const name = typeof handle === 'string' ? handle : handle.name
    const spec = this.parts.stores.spec(name)
    const owner = this.ownerOf(name)
    if (spec === undefined || !listed.includes(name)) {
      const known = listed.length === 0 ? 'it lists none' : `it lists ${listed.join(', ')}`
      throw new DhaaraError(
        'DHAARA_STORE_UNKNOWN',
        `step '${step.name}' asks for the store '${name}', which it does not list in {stores} (${known})`,
        { step: step.name },
      )
    }
    const copy = this.copyFor(step)
    return storeAccess(this.parts.stores, spec, owner, () => this.parts.rec.ts, {
      show: this.parts.strict ? deepFreeze : undefined,
      keep: copy,
    })
  }

  /** A user's function as the task calls it; `to`: how many of its arguments are read-only. */
  private user(fn: UserFn, step: string, to = 2): UserFn {
    return this.parts.strict ? frozen(fn, step, 0, to) : fn
  }

  /** Called by whoever asks for a row: what it throws is still its own step's. */
  private derive(fn: UserFn, step: string): UserFn {
    const own = this.user(fn, step)
    return (value, key) => {
      try {
        return own(value, key)
      } catch (error) {
        throw userError(error, step, this.parts.rec)
      }
    }
  }

  private specOf(step: Step, spec: AggregateSpec): AggregateSpec {
    const own = this.copyFor(step) === undefined ? spec : addingCopies(spec)
    return this.parts.strict ? frozenSpec(own, step.name) : own
  }

  /** For what a step keeps by reference. */
  private copyFor(step: Step): typeof copyValue | undefined {
    return changesInPlace(step, (name) => this.ownerOf(name)) ? copyValue : undefined
  }

  private ownerOf(store: string): Step | undefined {
    return this.sub.steps.find(({ op }) => 'store' in op && op.store?.name === store)
  }
}

/** What a user's supplier throws stops the start, with its step. */
function supplied<T>({ name }: Step, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (error instanceof DhaaraError) throw error
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    const message = `step '${name}' threw when its task was made: ${text}; expected its supplier to return an object with the step's functions`
    throw new DhaaraError('DHAARA_USER_CODE', message, { step: name, cause: error })
  }
}

/** What becomes of values on their way between user code and a store. */
interface Handed {
  /** On the way out. */
  readonly show?: ((value: unknown) => unknown) | undefined
  /** On the way in. */
  readonly keep?: ((value: unknown) => unknown) | undefined
}

/** The handle through which user code and the test driver see a store; `owner`: the step whose table it is. */
export function storeAccess(
  stores: TaskStores,
  spec: StoreSpec,
  owner: Step | undefined,
  now: () => number,
  handed: Handed = {},
): unknown {
  const aggregate = owner !== undefined && 'spec' in owner.op ? owner.op : undefined
  const result = aggregate?.spec.result ?? ((state: unknown) => state)
  const { show: freeze, keep } = handed
  const show = freeze === undefined ? result : (state: unknown) => freeze(result(state))
  if (spec.kind === 'window' || spec.kind === 'session')
    return windowedAccess(
      stores,
      spec,
      aggregate?.kind === 'aggregate' ? aggregate : undefined,
      owner?.needsOld ?? false,
      now,
    )
  if (owner?.op.kind === 'match') {
    const { client } = stores.parts(spec.name)
    if (client instanceof Match) return new MatchAccess(client)
  }
  if (spec.kind === 'versioned') {
    const table = stores.versioned(spec.name)
    return owner === undefined ? new VersionedAccess(table, show, keep) : new VersionedTableAccess(table, show)
  }
  if (spec.kind === 'list') return new ListAccess(stores.keyValue(spec.name), now, show, keep)
  const access = new KeyValueAccess(stores.keyValue(spec.name), now, show, keep)
  return owner === undefined ? access : new ReadOnlyKeyValue(access)
}

const unsupported = (what: string, step: string): DhaaraError =>
  new DhaaraError('DHAARA_UNSUPPORTED', `step '${step}': ${what} cannot be run`, { step })
