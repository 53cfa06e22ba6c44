import type { PlanNode, UserFn } from '../../dsl/plan/index.ts'
import type { Edge, Step, SubTopology } from '../plan/physical.ts'
import { followsPresent, versionedRoot } from '../plan/versioned.ts'
import type { RunBatch } from '../runtime/inputs/feed.ts'
import type { CurrentRecord } from '../runtime/record.ts'
import type { TaskClock } from '../time/clock.ts'
import type { TaskMeter } from '../metrics/task-meter.ts'
import type { InputTime } from '../time/inputs.ts'
import type { Counter } from '../operators/operator.ts'
import { dropsOf, isCounted, isOperator } from './steps.ts'

/** What generated code and the interpreter are linked with. */
export interface ProgramEnv {
  readonly rec: CurrentRecord
  readonly clock: TaskClock
  /** @param key of what failed, where known */
  readonly fail: (error: unknown, at: number, key?: unknown, value?: unknown) => void
  readonly ops: Readonly<Record<number, object>>
  readonly fns: Readonly<Record<number, readonly UserFn[]>>
  readonly tombstones: Readonly<Record<number, Counter>>
  /** Records without a key, dropped. */
  readonly keyless: Readonly<Record<number, Counter>>
  readonly meter: TaskMeter
}

type Take = (k: unknown, v: unknown, o: unknown, ts: number) => void
interface Op {
  process(...args: unknown[]): void
  left(k: unknown, v: unknown, ts: number): void
  right(k: unknown, v: unknown, ts: number): void
  same(a: unknown, b: unknown): boolean
  n: number
}

/**
 * Runs a sub-topology step by step, one call a step and record: the reference that generated code must agree with, and
 * what serves where code generation is switched off. Three to five times slower.
 */
export class Interpreter {
  readonly inputs: Record<number, RunBatch> = {}
  /** The same functions: where time goes is asked with each call. */
  readonly timed: Record<number, RunBatch> = this.inputs
  readonly outs: Record<number, unknown> = {}
  readonly lates: Record<number, unknown> = {}
  private readonly env: ProgramEnv
  private readonly takes = new Map<Step, Take>()
  private at = -1

  constructor(sub: SubTopology, env: ProgramEnv) {
    this.env = env
    for (const step of sub.inputs) this.inputs[step.id] = this.input(step)
    for (const step of sub.steps.filter(isOperator)) this.outs[step.id] = this.out(step)
    for (const step of sub.steps)
      if (step.op.kind === 'late')
        this.lates[(step.inputs[0] as Step).id] = (k: unknown, v: unknown, ts: number) =>
          this.safely(() => this.deliver(step)(k, v, undefined, ts), k, v)
  }

  private input(step: Step): RunBatch {
    const { rec, clock, tombstones, keyless, meter } = this.env
    const body: Take = isOperator(step) ? (k, v, _o, ts) => this.call(step, k, v, ts) : this.deliver(step)
    const drops = dropsOf(step)
    return (batch, from, to, time) => {
      rec.own = undefined
      for (let i = from; i < to; i++) {
        const ts = batch.timestamps[i] as number
        const value = batch.values[i]
        if (batch.w !== undefined) time.raise(batch.w[i] as number)
        rec.batch = batch
        rec.i = i
        rec.ts = ts
        if (ts > clock.streamTime) clock.streamTime = ts
        if (drops.tombstones && value === null) (tombstones[step.id] as Counter).n++
        else if (drops.keyless && batch.keys[i] === null) (keyless[step.id] as Counter).n++
        else this.safely(() => body(batch.keys[i], value, batch.olds?.[i], ts))
        if (meter.on) meter.to(step.id)
        this.moveTime(step, time, value, ts)
        clock.advance(clock.w)
      }
    }
  }

  /** After a record: its source's watermark. */
  private moveTime({ id, op }: Step, time: InputTime, value: unknown, ts: number): void {
    if (op.kind !== 'source') return
    if (ts > time.max) time.max = ts
    if (op.watermark.kind === 'none') return
    if (op.watermark.kind !== 'punctuated') time.raise(time.max - op.watermark.bound - 1)
    else if (value !== null) {
      this.go(id)
      let w: number | null = null
      this.safely(() => {
        w = time.punctuate(value, ts)
      })
      time.raise(w ?? Number.NEGATIVE_INFINITY)
    }
  }

  private out(step: Step): unknown {
    const next = this.deliver(step)
    const { rec } = this.env
    const { meter } = this.env
    const emit: Take = (k, v, o, ts) => {
      rec.ts = ts
      const caller = meter.cur
      this.safely(() => next(k, v, o, ts), k, v)
      if (meter.on) meter.to(caller)
    }
    return step.table ? emit : (k: unknown, v: unknown, ts: number) => emit(k, v, undefined, ts)
  }

  /** One who throws does not keep a record from the others. */
  private deliver(step: Step): Take {
    const takes = step.outputs.filter(({ to }) => to.op.kind !== 'late').map((edge) => this.take(edge))
    const { counts } = this.env.meter
    const counted = isCounted(step)
    return (k, v, o, ts) => {
      if (counted) (counts[step.id] as number)++
      if (takes.length === 1) (takes[0] as Take)(k, v, o, ts)
      else for (const take of takes) this.safely(() => take(k, v, o, ts), k, v)
    }
  }

  private take({ to, port }: Edge): Take {
    if (to.op.kind !== 'merge' || to.inputs.length === 1) {
      const input = to.inputs[port] as Step
      if (!input.table) return this.record(to, port)
      const root = versionedRoot(input)
      const change = this.change(to, port)
      if (root === undefined || !followsPresent(to)) return change
      return (k, v, o, ts) => {
        if ((this.env.ops[root.id] as { latest: boolean }).latest) change(k, v, o, ts)
      }
    }
    let take = this.takes.get(to)
    if (take === undefined) {
      take = this.deliver(to)
      this.takes.set(to, take)
    }
    return take
  }

  private record(step: Step, port: number): Take {
    const { id } = step
    const op = step.op as PlanNode
    const { rec } = this.env
    const fn = (v: unknown, k: unknown): unknown => {
      this.go(id)
      return (this.env.fns[id]![0] as UserFn)(v, k, rec)
    }
    const next = this.deliver(step)
    switch (op.kind) {
      case 'filter':
        return (k, v, o, ts) => {
          if (Boolean(fn(v, k)) !== op.negate) next(k, v, o, ts)
        }
      case 'mapValues':
        return (k, v, o, ts) => next(k, fn(v, k), o, ts)
      case 'map':
        return (k, v, o, ts) => {
          const [key, value] = fn(v, k) as [unknown, unknown]
          next(key, value, o, ts)
        }
      case 'selectKey':
        return (k, v, o, ts) => next(fn(v, k), v, o, ts)
      case 'flatMap':
        return (k, v, o, ts) =>
          this.each(id, fn(v, k) as Iterable<[unknown, unknown]>, ([key, value]) => next(key, value, o, ts))
      case 'flatMapValues':
        return (k, v, o, ts) => this.each(id, fn(v, k) as Iterable<unknown>, (value) => next(k, value, o, ts))
      case 'peek':
      case 'forEach':
        return (k, v, o, ts) => {
          fn(v, k)
          next(k, v, o, ts)
        }
      case 'split':
        return this.split(step)
      case 'branch':
      case 'group':
      case 'merge':
      case 'toStream':
        return next
      case 'streamTableJoin':
        return port === 1 ? () => {} : (k, v, _o, ts) => this.call(step, k, v, ts)
      case 'streamJoin':
        return this.sided(step, port)
      case 'broadcast':
        if (port === 1) return (k, v, _o, ts) => this.call(step, k, v, ts)
        return (k, v, o, ts) => {
          this.go(id)
          next(k, (this.env.fns[id]![0] as UserFn)(v, this.env.ops[id], k, rec), o, ts)
        }
      case 'process':
        return (k, v, _o, ts) => this.call(step, v, k, ts)
      case 'aggregate':
        return (k, v, _o, ts) => this.call(step, k, v, ts, port)
      default:
        return (k, v, _o, ts) => this.call(step, k, v, ts)
    }
  }

  private split(step: Step): Take {
    const predicates = this.env.fns[step.id] as readonly UserFn[]
    const branches = Array.from({ length: predicates.length + 1 }, (_, index) =>
      step.outputs.filter(({ to }) => to.op.kind === 'branch' && to.op.index === index).map((edge) => this.take(edge)),
    )
    return (k, v, o, ts) => {
      this.go(step.id)
      const found = predicates.findIndex((predicate) => predicate(v, k, this.env.rec))
      const takes = branches[found < 0 ? predicates.length : found] as Take[]
      if (found < 0 && takes.length === 0) (this.env.ops[step.id] as Op).n++
      for (const take of takes) take(k, v, o, ts)
    }
  }

  private change(step: Step, port: number): Take {
    const { id } = step
    const op = step.op as Exclude<Step['op'], { kind: 'repartitionWrite' | 'repartitionRead' }>
    const fn = (v: unknown, k: unknown): unknown => {
      this.go(id)
      return (this.env.fns[id]![0] as UserFn)(v, k)
    }
    const next = this.deliver(step)
    const kept: Take = isOperator(step) ? (k, v, _o, ts) => this.call(step, k, v, ts) : next
    switch (op.kind) {
      case 'filter': {
        const passes = (v: unknown, k: unknown) =>
          v !== null && v !== undefined && Boolean(fn(v, k)) !== op.negate ? v : null
        return (k, v, o, ts) => {
          const [now, before] = [passes(v, k), ofOld(() => passes(o, k))]
          if (now !== null || before !== null) kept(k, now, before, ts)
        }
      }
      case 'mapValues':
        return (k, v, o, ts) =>
          kept(
            k,
            v === null ? null : (fn(v, k) ?? null),
            !step.needsOld ? undefined : o === null || o === undefined ? null : ofOld(() => fn(o, k) ?? null),
            ts,
          )
      case 'toStream':
        return (k, v, _o, ts) => next(k, v, undefined, ts)
      case 'tableGroup':
        return (k, v, o, ts) => this.regroup(step, next, fn, k, v, o, ts)
      case 'tableJoin':
        return (k, v, o, ts) => this.call(step, k, v, o, ts, port)
      case 'foreignLookup':
      case 'foreignJoin':
        return this.sided(step, port)
      case 'streamTableJoin':
      case 'streamGlobalJoin':
      case 'late':
        return () => {}
      case 'foreignSend':
      case 'toTable':
        return (k, v, _o, ts) => this.call(step, k, v, ts)
      default:
        return (k, v, o, ts) => this.call(step, k, v, o, ts)
    }
  }

  private regroup(
    step: Step,
    next: Take,
    fn: (v: unknown, k: unknown) => unknown,
    k: unknown,
    v: unknown,
    o: unknown,
    ts: number,
  ): void {
    const pair = (value: unknown) =>
      value === null || value === undefined ? null : ((fn(value, k) ?? null) as [unknown, unknown] | null)
    const [now, before] = [pair(v), ofOld(() => pair(o))]
    const grouped = (p: [unknown, unknown] | null): p is [unknown, unknown] =>
      p !== null && p[0] !== null && p[0] !== undefined
    if (grouped(now) && before !== null && (this.env.ops[step.id] as Op).same(now[0], before[0])) {
      next(now[0], now[1], before[1], ts)
      return
    }
    if (grouped(before)) next(before[0], null, before[1], ts)
    if (grouped(now)) next(now[0], now[1], null, ts)
  }

  private sided({ id }: Step, port: number): Take {
    return (k, v, _o, ts) => {
      this.go(id)
      const op = this.env.ops[id] as Op
      if (port === 0) op.left(k, v, ts)
      else op.right(k, v, ts)
    }
  }

  private call(step: Step, ...args: unknown[]): void {
    this.go(step.id)
    ;(this.env.ops[step.id] as Op).process(...args)
  }

  private each<T>(id: number, items: Iterable<T>, act: (item: T) => void): void {
    for (const item of items) {
      this.safely(() => act(item))
      this.go(id)
    }
  }

  /** The step being run. */
  private go(id: number): void {
    this.at = id
    if (this.env.meter.on) this.env.meter.to(id)
  }

  private safely(act: () => void, key?: unknown, value?: unknown): void {
    try {
      act()
    } catch (error) {
      this.env.fail(error, this.at, key, value)
    }
  }
}

/** Where user code throws there was no row: it threw when that row came, too, and went to the policy then. */
function ofOld<T>(row: () => T): T | null {
  try {
    return row()
  } catch {
    return null
  }
}
