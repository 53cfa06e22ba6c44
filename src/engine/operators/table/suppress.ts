import type { SuppressSpec } from '../../../dsl/plan/index.ts'
import { DhaaraError } from '../../../errors/index.ts'
import { type DueTable, type Entry, Held } from '../../../state/stores/index.ts'
import { EpochAborted } from '../../runtime/failures/errors.ts'
import type { TaskClock, Timed } from '../../time/clock.ts'
import { Heap } from '../heap.ts'
import { type EmitChange, noEmit, type OperatorContext } from '../operator.ts'

/** When the window of a row closes. */
export type CloseAt = (window: { readonly start: number; readonly end: number }) => number

/**
 * What a row held back takes besides its encoded key and value: timer, place in the order of age, entries of cache and
 * index. Kafka Streams' buffers come to about the same, since they keep each record's topic, offset and headers.
 */
const bookkeeping = 100

interface Oldest {
  readonly since: number
  readonly key: unknown
}

/**
 * Holds the changes of a table back: the latest of each row, until its window closes, or for a time that begins with the
 * first change held.
 *
 *     changes   a1──a2────────b1──▶     untilTimeLimit(d)
 *     due       ├─────d────┤a2          W >= first + d - 1
 *
 * `untilWindowCloses` drops what was deleted in the meantime: nobody has seen it. `untilTimeLimit` does not know whether
 * anybody has, and hands deletions on, as Kafka Streams does.
 *
 * Rows that are due together leave in the order of (due, window, key). A buffer over its budget lets the rows go that have
 * waited longest (`emitEarly`), or stops the job.
 */
export class Suppress implements Timed {
  readonly stepId: number
  out: EmitChange = noEmit
  private readonly name: string
  private readonly table: DueTable<Held>
  private readonly spec: SuppressSpec
  private readonly closeAt: CloseAt | undefined
  private readonly clock: TaskClock
  private readonly needsOld: boolean
  private readonly copy: ((value: unknown) => unknown) | undefined
  /** Is there a budget? */
  private readonly limited: boolean
  /** Where rows go early: all rows, those that have waited longest first. */
  private readonly oldest: Heap<Oldest> | undefined
  private records = 0
  private bytes = 0

  /**
   * @param closeAt of windowed rows that wait for their window to close
   * @param copy given where aggregates upstream change what they have sent
   */
  constructor(
    stepId: number,
    name: string,
    spec: SuppressSpec,
    table: DueTable<Held>,
    closeAt: CloseAt | undefined,
    needsOld: boolean,
    copy: ((value: unknown) => unknown) | undefined,
    ctx: OperatorContext,
  ) {
    this.stepId = stepId
    this.name = name
    this.spec = spec
    this.table = table
    this.closeAt = closeAt
    this.clock = ctx.clock
    this.needsOld = needsOld
    this.copy = copy
    this.limited = spec.maxRecords !== undefined || spec.maxBytes !== undefined
    if (!this.limited) return
    const { compare } = table.rows.space.keys
    if (spec.whenFull === 'emitEarly')
      this.oldest = new Heap((a, b) => a.since < b.since || (a.since === b.since && compare(a.key, b.key) < 0))
    for (const { key, value } of table.rows.scan()) this.count(key, value as Held)
  }

  process(key: unknown, value: unknown, old: unknown, ts: number): void {
    const entry = this.table.rows.load(key)
    const held = entry.value as Held | undefined
    if (held !== undefined) this.replace(entry, held, value, ts)
    else if (this.closeAt !== undefined) this.hold(entry, value, old, ts, this.closeAt((key as WindowedKey).window))
    else if (this.spec.limit === 0) this.out(key, value, old, ts)
    else this.hold(entry, value, old, ts, ts + (this.spec.limit as number) - 1)
    if (this.limited) this.fit()
  }

  private hold(entry: Entry, value: unknown, old: unknown, ts: number, due: number): void {
    const final = this.closeAt !== undefined
    if (final && value === null) return
    if (due <= this.clock.w) {
      this.out(entry.key, value, final ? undefined : old, ts)
      return
    }
    const { copy } = this
    const held = new Held(
      ts,
      due,
      copy === undefined || value === null ? value : copy(value),
      this.needsOld && !final ? old : undefined,
      ts,
    )
    this.keep(entry, held)
    if (this.limited) this.count(entry.key, held)
  }

  /** What waits becomes this; it goes on waiting from its first change. */
  private replace(entry: Entry, held: Held, value: unknown, ts: number): void {
    if (this.closeAt !== undefined && value === null) {
      this.remove(entry, held)
      return
    }
    if (held.bytes > 0) this.bytes -= held.bytes
    const { copy } = this
    held.value = copy === undefined || value === null ? value : copy(value)
    held.ts = ts
    if (this.limited) this.weigh(entry.key, held)
    if (this.closeAt !== undefined) held.due = this.closeAt(windowOf(entry.key))
    this.keep(entry, held)
  }

  private keep(entry: Entry, held: Held): void {
    if (this.table.keep(entry, held, held, held.ts, held.due)) this.clock.notice(held.due)
  }

  private remove(entry: Entry, held: Held): void {
    this.records--
    this.bytes -= held.bytes
    this.table.keep(entry, undefined, held, held.ts, Number.POSITIVE_INFINITY)
  }

  private count(key: unknown, held: Held): void {
    this.records++
    this.weigh(key, held)
    this.oldest?.push({ since: held.since, key })
  }

  private weigh(key: unknown, held: Held): void {
    if (this.spec.maxBytes === undefined) return
    const { keys, values } = this.table.rows.space
    held.bytes = 0
    held.bytes = keys.encode(key).length + values.encode(held, held.ts).length + bookkeeping
    this.bytes += held.bytes
  }

  /** Lets rows go until the budget holds. */
  private fit(): void {
    const { maxRecords = Number.POSITIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY, whenFull } = this.spec
    while (this.records > maxRecords || this.bytes > maxBytes) {
      if (whenFull === 'spill') return
      if (whenFull === 'shutDown') throw this.full()
      const { since, key } = (this.oldest as Heap<Oldest>).pop() as Oldest
      const entry = this.table.rows.load(key)
      const held = entry.value as Held | undefined
      if (held !== undefined && held.since === since) this.release(entry, held)
    }
  }

  private full(): EpochAborted {
    const { name, records, bytes } = this
    const { maxRecords, maxBytes } = this.spec
    const [held, limit] =
      maxRecords !== undefined && records > maxRecords
        ? [`${records} rows`, `${maxRecords}`]
        : [`${bytes} bytes in ${records} rows`, `${maxBytes} bytes`]
    const found = `step '${name}': found ${held} held back, expected at most ${limit}`
    return new EpochAborted(
      new DhaaraError('DHAARA_SUPPRESS_FULL', `${found}; raise the limit, or choose another whenFull`, { step: name }),
    )
  }

  private release(entry: Entry, held: Held): void {
    this.remove(entry, held)
    this.out(entry.key, held.value, held.old, held.ts)
  }

  /** Rows that were due have left, and are in nobody's way any more. */
  private passed(at: number): void {
    const { oldest } = this
    if (oldest === undefined) return
    const limit = this.spec.limit as number
    for (let top = oldest.first; top !== undefined && top.since + limit - 1 <= at; top = oldest.first) oldest.pop()
  }

  nextAt(): number {
    return this.table.nextAt()
  }

  fire(at: number): void {
    const due: Entry[] = []
    for (const entry of this.table.take(at)) {
      const held = entry.value as Held
      if (held.due <= at) due.push(entry)
      else this.keep(entry, held)
    }
    const { compare } = this.table.rows.space.keys
    if (this.closeAt === undefined) due.sort((a, b) => compare(a.key, b.key))
    else due.sort((a, b) => byWindow(a.key, b.key) || compare(keyOf(a.key), keyOf(b.key)))
    for (const entry of due) this.release(entry, entry.value as Held)
    this.table.forget(at)
    this.passed(at)
  }
}

interface WindowedKey {
  readonly key: unknown
  readonly window: { readonly start: number; readonly end: number }
}
const windowOf = (key: unknown): WindowedKey['window'] => (key as WindowedKey).window
const keyOf = (key: unknown): unknown => (key as WindowedKey).key
const byWindow = (a: unknown, b: unknown): number => windowOf(a).start - windowOf(b).start
