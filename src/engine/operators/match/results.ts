import type { MatchNode, UserFn } from '../../../dsl/plan/index.ts'
import { deepFreeze } from '../../../state/codec/index.ts'
import type { MatchRecord, MatchSink } from '../../cep/index.ts'
import type { CurrentRecord } from '../../runtime/record.ts'
import { type Counter, type Emit, noEmit, type OperatorContext } from '../operator.ts'

/** What a matcher gave for an event or a time: told only when the matcher is done. */
interface Told {
  readonly pattern: number
  readonly events: MatchRecord
  /** First and last timestamp; of a partial match NaN. */
  readonly start: number
  readonly end: number
  readonly at: number
}

/** Takes what a matcher gives, and makes results of it by the functions of the step. */
export class Results implements MatchSink {
  out: Emit = noEmit
  private readonly tags: readonly string[] | null
  private readonly select: UserFn
  private readonly timedOut: UserFn | undefined
  private readonly flat: boolean
  private readonly strict: boolean
  private readonly rec: CurrentRecord
  private readonly failed: (error: unknown, fn: UserFn, key: unknown, value: unknown) => void
  private readonly matches: Counter
  private readonly timeouts: Counter
  private readonly dropped: Counter
  private told: Told[] = []

  /** @param tags of several patterns; null: there is one alone. @param failed gets what a function of the step threw */
  constructor(
    name: string,
    { select, timedOut, flat }: MatchNode,
    tags: readonly string[] | null,
    ctx: OperatorContext,
    rec: CurrentRecord,
    failed: (error: unknown, fn: UserFn, key: unknown, value: unknown) => void,
  ) {
    this.tags = tags
    this.select = select
    this.timedOut = timedOut
    this.flat = flat
    this.strict = ctx.strict
    this.rec = rec
    this.failed = failed
    this.dropped = ctx.dropped(name, 'partial')
    this.matches = ctx.counter(`${name}.matches`)
    this.timeouts = ctx.counter(`${name}.timed-out`)
  }

  onMatch(pattern: number, events: MatchRecord, start: number, end: number, at: number): void {
    this.matches.n++
    this.told.push({ pattern, events, start, end, at })
  }

  onTimeout(pattern: number, events: MatchRecord, at: number): void {
    this.timeouts.n++
    this.told.push({ pattern, events, start: Number.NaN, end: Number.NaN, at })
  }

  onDropped(_pattern: number, runs: number): void {
    this.dropped.n += runs
  }

  /** Gives what was told since the last call. */
  tell(key: unknown): void {
    const { told } = this
    if (told.length === 0) return
    this.told = []
    for (const one of told) {
      try {
        this.tellOne(one, key)
      } catch (error) {
        this.failed(error, one.start === one.start ? this.select : (this.timedOut as UserFn), key, one.events)
      }
    }
  }

  private tellOne({ pattern, events, start, end, at }: Told, key: unknown): void {
    const tag = this.tags?.[pattern]
    const match = tag === undefined ? events : { pattern: tag, match: events }
    if (this.strict) deepFreeze(match)
    this.rec.ts = at
    const isMatch = start === start
    const result = isMatch ? this.select(match, key, { start, end }) : (this.timedOut as UserFn)(match, key, at)
    if (this.flat) {
      if (result === undefined || result === null) return
      for (const one of result as Iterable<unknown>) this.out(key, one, at)
    } else if (isMatch || result !== undefined) this.out(key, result, at)
  }
}
