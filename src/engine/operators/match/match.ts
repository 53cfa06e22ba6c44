import type { MatchNode, UserFn } from '../../../dsl/plan/index.ts'
import type { PartTable, Sealer } from '../../../state/stores/index.ts'
import { deepFreeze } from '../../../state/codec/index.ts'
import { type CompiledMatcher, compileSpecs, type EventCodec, packKey, writeHead } from '../../cep/index.ts'
import { asMutation } from '../../runtime/steps/user-functions.ts'
import type { CurrentRecord } from '../../runtime/record.ts'
import type { TaskClock, Timed } from '../../time/clock.ts'
import type { WallClock } from '../../time/wall.ts'
import type { Counter, Emit, OperatorContext } from '../operator.ts'
import { Guest } from './guest.ts'
import { guestRows, writeGuests } from './guest-rows.ts'
import { emptyHead } from './key-rows.ts'
import { MatchKeys } from './match-keys.ts'
import { Results } from './results.ts'
import { WaitingRoom } from './waiting-room.ts'

export interface MatchServices {
  readonly wall: WallClock
  readonly rec: CurrentRecord
  readonly table: PartTable
  readonly codec: EventCodec
  /** Where somebody upstream goes on changing what it has sent. */
  readonly copy: ((value: unknown) => unknown) | undefined
}

/** What a record that waits takes, roughly. */
const guestBytes = 256

/**
 * Matches of patterns, per key, in the order of event time.
 *
 *     records   c@5 a@1 b@3      ▶ arrival
 *     W              ──3──       a and b are offered to their keys' matchers, at their times; c waits for W >= 5
 *
 * A record waits until W has reached its timestamp; one that W had reached when it came is late and takes part in
 * nothing. Records of one time go by key, then by `orderBy`, then by arrival. Time ends windows before it offers events:
 * what is due at t is told before events of t are looked at.
 *
 * With processing time a record's time is the clock's when it is processed. It waits only for others of the same
 * millisecond, and only if there is an `orderBy` that could put them before it.
 */
export class Match implements Timed {
  readonly stepId: number
  late: Emit | undefined = undefined
  readonly keys: MatchKeys
  readonly compiled: CompiledMatcher
  private readonly name: string
  private readonly results: Results
  private readonly room = new WaitingRoom()
  /** Who was taken out of it last. */
  private readonly guest = new Guest()
  private readonly waits: boolean
  private readonly wallTime: boolean
  private readonly orderBy: UserFn | undefined
  private readonly ctx: OperatorContext
  private readonly clock: TaskClock
  private readonly wall: WallClock
  private readonly rec: CurrentRecord
  private readonly nullKeys: Counter
  private readonly nullValues: Counter
  private readonly lateCount: Counter
  private readonly table: PartTable
  readonly codec: EventCodec
  private readonly copy: ((value: unknown) => unknown) | undefined
  private now = Number.NEGATIVE_INFINITY

  constructor(stepId: number, name: string, op: MatchNode, ctx: OperatorContext, services: MatchServices) {
    const { table, codec, wall, rec, copy } = services
    this.stepId = stepId
    this.name = name
    this.compiled = compilePatterns(op)
    this.wallTime = op.time === 'processing'
    this.waits = !this.wallTime || op.orderBy !== undefined
    this.orderBy = op.orderBy
    this.ctx = ctx
    this.clock = ctx.clock
    this.wall = wall
    this.rec = rec
    this.nullKeys = ctx.dropped(name, 'null-key')
    this.nullValues = ctx.dropped(name, 'null-value')
    this.lateCount = ctx.dropped(name, 'late')
    this.table = table
    this.codec = codec
    this.copy = copy
    const failed = (error: unknown, fn: UserFn, key: unknown, value: unknown): void =>
      this.failed(error, fn, key, value)
    this.results = new Results(name, op, this.compiled.tags, ctx, rec, failed)
    this.keys = new MatchKeys(this.compiled, table, codec, this.results, ctx.counter(`${name}.partials`))
    table.client = this
    this.room.restore(guestRows(table, codec))
    if (this.wallTime) {
      wall.add(this)
      ctx.clock.add(this.atEnd())
    } else ctx.clock.add(this)
  }

  get out(): Emit {
    return this.results.out
  }

  set out(out: Emit) {
    this.results.out = out
  }

  process(key: unknown, value: unknown, ts: number): void {
    if (key === null || key === undefined) {
      this.nullKeys.n++
      return
    }
    if (value === null || value === undefined) {
      this.nullValues.n++
      return
    }
    if (this.wallTime) {
      this.processNow(key, this.copy === undefined ? value : this.copy(value))
      return
    }
    if (ts <= this.clock.wOf(key)) {
      this.lateCount.n++
      if (this.late !== undefined) this.late(key, value, ts)
      return
    }
    this.room.add(ts, key, this.copy === undefined ? value : this.copy(value), this.rec.place, this.rec.origin)
    if (ts < this.clock.next) this.clock.notice(ts)
  }

  nextAt(): number {
    const { first } = this.room
    const at = this.wallTime ? first + 1 : first
    const due = this.keys.nextDue
    return at < due ? at : due
  }

  fire(at: number): void {
    if (this.wallTime) {
      this.rec.none()
      this.moveTo(at)
      return
    }
    this.moveKeys(at)
    this.feed(at)
  }

  /** Records ahead of time. */
  get waiting(): number {
    return this.room.size
  }

  measure(): void {
    this.keys.measure(this.room.size * guestBytes)
  }

  trim(): void {
    this.keys.trim()
  }

  liveKeys(): unknown[] {
    return this.keys.live()
  }

  rowOf(key: unknown): Uint8Array | undefined {
    const matcher = this.keys.peek(key)
    const begun = this.keys.begunOf(key)
    if (matcher === undefined && begun.length === 0) return undefined
    const head = writeHead(matcher?.head() ?? emptyHead(this.compiled))
    return packKey(head, matcher?.chunks(this.codec) ?? [], begun)
  }

  seal(sealer: Sealer, epoch: number): void {
    const { came, went } = this.room.changes()
    for (const { ts, seq } of went) sealer.delete(this.table.timedKey(ts, seq))
    writeGuests(came, this.table, this.codec, sealer)
    this.keys.seal(sealer, epoch)
  }

  written(epoch: number): void {
    this.keys.written(epoch)
  }

  /** With processing time. */
  private processNow(key: unknown, value: unknown): void {
    const now = Math.max(this.now, this.wall.now())
    const { rec } = this
    const { i, own, ts } = rec
    this.moveTo(now)
    // those that had waited are not the record at hand
    rec.i = i
    rec.own = own
    rec.ts = ts
    if (this.waits) {
      this.room.add(now, key, value, rec.place, rec.origin)
      this.wall.notice(now + 1)
    } else this.offer(key, value, now)
  }

  /** With processing time: what was due before, then what waited for this, both in the order of time. */
  private moveTo(now: number): void {
    for (;;) {
      const { first } = this.room
      const due = this.keys.nextDue
      if (first < now && first < due) this.feed(first)
      else if (due <= now) this.moveKeys(due)
      else break
    }
    if (now > this.now) this.now = now
  }

  /** Ends what is due at `at`, key by key. */
  private moveKeys(at: number): void {
    if (this.keys.nextDue > at) return
    for (const state of this.keys.due(at)) {
      try {
        this.keys.advance(state, at)
      } catch (error) {
        this.failed(error, condition, state.key)
      }
      this.results.tell(state.key)
    }
  }

  /** Offers what waits for `at` or a time before. */
  private feed(at: number): void {
    const { room, guest } = this
    let { first } = room
    while (first <= at) {
      room.take(guest)
      const next = room.first
      if (next !== first) this.welcome(guest)
      else this.feedEqual(guest, first)
      first = next === first ? room.first : next
    }
  }

  /** A record that has waited: what fails now is its doing. */
  private welcome({ ts, key, value, place, origin }: Guest): void {
    this.rec.answered(undefined, place, origin)
    this.offer(key, value, ts)
    this.rec.none()
  }

  private feedEqual({ seq, key, value, place, origin }: Guest, ts: number): void {
    const guests = [new Guest(ts, seq, key, value, place, origin)]
    while (this.room.first === ts) {
      const other = new Guest()
      this.room.take(other)
      guests.push(other)
    }
    const { compare } = this.table.space.keys
    const { orderBy } = this
    guests.sort((a, b) => compare(a.key, b.key))
    try {
      if (orderBy !== undefined) guests.sort((a, b) => compare(a.key, b.key) || orderBy(a.value, b.value))
    } catch (error) {
      // they stay in the order of arrival
      this.failed(error, orderBy as UserFn)
    }
    for (const one of guests) this.welcome(one)
  }

  private offer(key: unknown, value: unknown, ts: number): void {
    if (this.ctx.strict) deepFreeze(value)
    try {
      this.keys.offer(key, value, ts)
    } catch (error) {
      this.failed(error, condition, key, value)
    }
    this.results.tell(key)
    const due = this.keys.nextDue
    if (this.wallTime) this.wall.notice(due)
    else if (due < this.clock.next) this.clock.notice(due)
  }

  private failed(error: unknown, fn: UserFn, key?: unknown, value?: unknown): void {
    this.ctx.fail(this.ctx.strict ? asMutation(error, fn, this.name) : error, this.stepId, key, value)
  }

  /** Windows of processing time end with the input, too. */
  private atEnd(): Timed {
    const nextAt = (): number =>
      this.nextAt() < Number.POSITIVE_INFINITY ? Number.MAX_VALUE : Number.POSITIVE_INFINITY
    const fire = (): void => {
      while (this.nextAt() < Number.POSITIVE_INFINITY) this.moveTo(this.nextAt())
    }
    return { stepId: this.stepId, nextAt, fire }
  }
}

/** Stands for whichever of a pattern's conditions threw. */
const condition: UserFn = () => {}

/** What the step searches for. */
export function compilePatterns(op: MatchNode): CompiledMatcher {
  const { patterns, tagged, skip, whenFull, maxPartials } = op
  return compileSpecs({
    specs: Object.values(patterns),
    tags: tagged ? Object.keys(patterns) : null,
    skip,
    limits: { maxPartials: maxPartials ?? Number.POSITIVE_INFINITY, whenFull },
    timeouts: op.timedOut !== undefined,
  })
}
