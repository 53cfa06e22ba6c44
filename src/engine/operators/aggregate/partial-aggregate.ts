import type { AggregateSpec, UserFn } from '../../../dsl/plan/index.ts'
import type { WindowAssigner } from '../../time/window-assigner.ts'
import type { TaskClock, Timed } from '../../time/clock.ts'
import { type Fold, foldOf, mergeOf } from './aggregate.ts'
import { Grouped } from './grouped.ts'
import { type Counter, type Emit, noEmit, type OperatorContext } from '../operator.ts'
import { WindowAggregate } from './window-aggregate.ts'

/** What goes from the first phase to the second: a state, of so many records, and the number of their window. */
export type Partial = readonly [state: unknown, records: number, window: number]

interface Part {
  readonly key: unknown
  readonly window: number
  state: unknown
  records: number
  ts: number
}

/**
 * The first phase of an aggregation with `twoPhase`: what a task adds up before it sends it to the task of the key, so that
 * a key that half of all records have is a few states a slice there, not half of all records.
 *
 *     a a b a a │ slice     a×4 b×1 ──▶ repartition ──▶ merge
 *
 * Nothing outlives a slice of records, so there is nothing to store. Lateness is judged here, with the watermark before the
 * record; states leave before W could make them late there.
 */
export class PartialAggregate extends Grouped implements Timed {
  readonly stepId: number
  out: Emit = noEmit
  private readonly port: number
  private readonly start: Fold['start']
  private readonly add: Fold['add']
  private readonly windows: WindowAssigner | undefined
  private readonly grace: number
  private readonly clock: TaskClock
  private readonly copy: ((value: unknown) => unknown) | undefined
  /** By key, then by window. */
  private parts = new Map<string | number, Part[]>()
  private held = 0
  /** Keys (and windows) that are held at most. */
  private readonly most = 10_000
  private firstClose = Number.POSITIVE_INFINITY
  private readonly id: (key: unknown) => string | number
  private readonly lateCount: Counter

  /**
   * @param name of the aggregation
   * @param port which of its inputs this is
   */
  constructor(
    stepId: number,
    name: string,
    spec: AggregateSpec,
    port: number,
    windows: { readonly assign: WindowAssigner; readonly grace: number } | undefined,
    id: (key: unknown) => string | number,
    ctx: OperatorContext,
  ) {
    super(name, ctx)
    const { start, add } = foldOf(spec)
    this.stepId = stepId
    this.port = port
    this.start = start
    this.add = add
    this.windows = windows?.assign
    this.grace = windows?.grace ?? 0
    this.id = id
    this.clock = ctx.clock
    this.copy = ctx.careful && !spec.pure ? ctx.copy : undefined
    this.lateCount = ctx.dropped(name, 'late')
  }

  process(key: unknown, value: unknown, ts: number): void {
    if (this.lacks(key, value)) return
    if (this.windows === undefined) this.update(key, value, ts, 0)
    else this.spread(this.windows, key, value, ts)
  }

  private spread(windows: WindowAssigner, key: unknown, value: unknown, ts: number): void {
    let taken = false
    for (let window = windows.lastStart(ts); window >= 0; window = windows.previous(window)) {
      const end = windows.endOf(window)
      if (end <= ts) break
      const closeAt = end + this.grace - 1
      if (closeAt <= this.clock.w) continue
      taken = true
      this.update(key, value, ts, window)
      if (closeAt >= this.firstClose) continue
      this.firstClose = closeAt
      this.clock.notice(closeAt)
    }
    if (!taken) this.lateCount.n++
  }

  private update(key: unknown, value: unknown, ts: number, window: number): void {
    const id = this.id(key)
    const parts = this.parts.get(id)
    const part = parts?.find((one) => one.window === window)
    if (part !== undefined) {
      const { state } = part
      part.state =
        state === null || state === undefined
          ? this.start(value, key, this.port, ts)
          : this.add(this.copy === undefined ? state : this.copy(state), value, key, this.port, ts)
      part.records++
      if (ts > part.ts) part.ts = ts
      return
    }
    const made = { key, window, state: this.start(value, key, this.port, ts), records: 1, ts }
    if (parts === undefined) this.parts.set(id, [made])
    else parts.push(made)
    if (++this.held >= this.most) this.flush()
  }

  /** Sends what is held. */
  flush(): void {
    if (this.held === 0) return
    const { parts } = this
    this.parts = new Map()
    this.held = 0
    this.firstClose = Number.POSITIVE_INFINITY
    for (const windows of parts.values()) {
      for (const { key, state, records, window, ts } of windows) {
        if (state !== null && state !== undefined) this.out(key, [state, records, window] satisfies Partial, ts)
      }
    }
  }

  nextAt(): number {
    return this.firstClose
  }

  fire(): void {
    this.flush()
  }
}

/** The second phase, without windows: adds states instead of values. */
export function mergingSpec(spec: AggregateSpec): AggregateSpec {
  const merge = mergeOf(spec) as UserFn
  const { result, mergeable, pure } = spec
  return {
    kind: 'aggregate',
    init: () => undefined,
    adders: spec.adders.map(
      () =>
        (state: unknown, [part]: Partial, key: unknown) =>
          state === undefined ? part : merge(state, part, key),
    ),
    merge,
    ...(result === undefined ? {} : { result }),
    mergeable,
    pure,
  }
}

/** The second phase, with windows: a state says which window it is of. */
export class MergingWindows extends WindowAggregate {
  override process(key: unknown, value: unknown, ts: number, port: number): void {
    const [, records, window] = value as Partial
    if (this.closeAt(window) > this.clock.wOf(key)) this.update(window, key, value, ts, port)
    else this.lateCount.n += records
  }
}
