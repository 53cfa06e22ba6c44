import { Temporal } from 'temporal-polyfill'
import type { PeriodSpec } from '../../dsl/plan/index.ts'
import type { WindowAssigner } from './window-assigner.ts'

const DAY = 86_400_000

/** Days, weeks (from Monday), months and years of a time zone: days of 23 and 25 hours included. Lookups are cached by window. */
export function calendar(size: PeriodSpec, timeZone: string, offset: number): WindowAssigner {
  const period = typeof size === 'number' ? { count: size / DAY, unit: 'd' as const } : size
  return new CalendarWindows(period, timeZone, offset)
}

class CalendarWindows implements WindowAssigner {
  readonly single = true
  private start = Number.NaN
  private end = Number.NaN
  private readonly ends = new Map<number, number>()
  private readonly count: number
  private readonly unit: 'd' | 'w' | 'M' | 'y'
  private readonly timeZone: string
  private readonly offset: number

  constructor(period: { count: number; unit: 'd' | 'w' | 'M' | 'y' }, timeZone: string, offset: number) {
    this.count = period.count
    this.unit = period.unit
    this.timeZone = timeZone
    this.offset = offset
  }

  lastStart(t: number): number {
    if (t >= this.start && t < this.end) return this.start
    const first = this.periodOf(t - this.offset)
    const start = Math.max(0, this.instant(first) + this.offset)
    const end = this.instant(this.plus(first)) + this.offset
    this.start = start
    this.end = end
    this.ends.set(start, end)
    return start
  }

  previous(): number {
    return -1
  }

  next(start: number): number {
    return this.endOf(start)
  }

  startOf(start: number): number {
    return start
  }

  endOf(start: number): number {
    const known = this.ends.get(start)
    if (known !== undefined) return known
    this.lastStart(start)
    return this.end
  }

  /** First day of the period that holds t, counted from 1970-01-01 (weeks: from Monday 1969-12-29). */
  private periodOf(t: number): Temporal.PlainDate {
    const date = Temporal.Instant.fromEpochMilliseconds(t).toZonedDateTimeISO(this.timeZone).toPlainDate()
    const epoch = this.unit === 'w' ? new Temporal.PlainDate(1969, 12, 29) : new Temporal.PlainDate(1970, 1, 1)
    const aligned = (n: number) => Math.floor(n / this.count) * this.count
    if (this.unit === 'd') return epoch.add({ days: aligned(epoch.until(date, { largestUnit: 'days' }).days) })
    if (this.unit === 'w')
      return epoch.add({ weeks: aligned(Math.floor(epoch.until(date, { largestUnit: 'days' }).days / 7)) })
    if (this.unit === 'M') return epoch.add({ months: aligned((date.year - 1970) * 12 + date.month - 1) })
    return epoch.add({ years: aligned(date.year - 1970) })
  }

  private plus(date: Temporal.PlainDate): Temporal.PlainDate {
    const { count, unit } = this
    if (unit === 'd') return date.add({ days: count })
    if (unit === 'w') return date.add({ weeks: count })
    return unit === 'M' ? date.add({ months: count }) : date.add({ years: count })
  }

  private instant(date: Temporal.PlainDate): number {
    return date.toZonedDateTime(this.timeZone).epochMilliseconds
  }
}
