import type { WindowSpec } from '../../dsl/plan/index.ts'
import { calendar } from './calendar.ts'

/** Which windows a timestamp belongs to: those that start at `lastStart(t)`, `previous(…)`, … while `endOf(start) > t`. */
export interface WindowAssigner {
  /** Start of the latest window that holds t. */
  lastStart(t: number): number
  /** Start of the window before; -1 if there is none (no window starts before 0). */
  previous(start: number): number
  next(start: number): number
  /** Exclusive. */
  endOf(start: number): number
  /** Windows do not overlap. */
  readonly single: boolean
}

type Aligned = Extract<WindowSpec, { kind: 'tumbling' | 'hopping' }>

/** Windows aligned to the epoch plus offset, or to the calendar of a time zone. */
export function assigner(spec: Aligned): WindowAssigner {
  if (
    typeof spec.size === 'number' &&
    typeof spec.advance === 'number' &&
    (spec.timeZone === undefined || !wholeDays(spec.size))
  ) {
    return new FixedWindows(spec.size, spec.advance, spec.offset + zoneOffset(spec))
  }
  return calendar(spec.size, spec.timeZone ?? 'UTC', spec.offset)
}

const DAY = 86_400_000
const wholeDays = (size: number) => size % DAY === 0
/** A period below a day in a time zone: aligned to the zone's offset from UTC at the epoch of the zone's present rules. */
const zoneOffset = (spec: Aligned): number => (spec.timeZone === undefined ? 0 : -fixedOffset(spec.timeZone))

function fixedOffset(timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' }).formatToParts(0)
  const text = parts.find((part) => part.type === 'timeZoneName')?.value ?? 'GMT'
  const match = /GMT([+-])(\d{2}):(\d{2})/.exec(text)
  if (!match) return 0
  const minutes = Number(match[2]) * 60 + Number(match[3])
  return (match[1] === '-' ? -minutes : minutes) * 60_000
}

class FixedWindows implements WindowAssigner {
  readonly single: boolean
  private readonly size: number
  private readonly advance: number
  private readonly offset: number

  constructor(size: number, advance: number, offset: number) {
    this.size = size
    this.advance = advance
    this.offset = ((offset % advance) + advance) % advance
    this.single = size <= advance
  }

  lastStart(t: number): number {
    const into = (t - this.offset) % this.advance
    const start = into < 0 ? t - into - this.advance : t - into
    return start < 0 ? 0 : start
  }

  previous(start: number): number {
    if (start === 0) return -1
    if (start >= this.advance) return start - this.advance
    return this.offset > 0 ? 0 : -1
  }

  next(start: number): number {
    return start === 0 && this.offset > 0 ? this.offset : start + this.advance
  }

  /** With an offset, the window before the first whole one is cut at 0. */
  endOf(start: number): number {
    return start === 0 && this.offset > 0 ? this.offset - this.advance + this.size : start + this.size
  }
}
