import type { WindowSpec } from '../../dsl/plan/index.ts'
import { calendar } from './calendar.ts'
import { CumulativeWindows } from './cumulative.ts'
import { PaneGrid } from './panes.ts'
import type { WindowAssigner } from './window-assigner.ts'

type Aligned = Extract<WindowSpec, { kind: 'tumbling' | 'hopping' }>
/** Windows that do not depend on the records in them. */
export type AssignedSpec = Extract<WindowSpec, { kind: 'tumbling' | 'hopping' | 'cumulative' | 'unlimited' }>

export const isAssigned = (spec: WindowSpec): spec is AssignedSpec =>
  spec.kind === 'tumbling' || spec.kind === 'hopping' || spec.kind === 'cumulative' || spec.kind === 'unlimited'

/** Windows aligned to the epoch plus offset, or to the calendar of a time zone. */
export function assigner(spec: AssignedSpec): WindowAssigner {
  if (spec.kind === 'unlimited') return unlimited
  if (spec.kind === 'cumulative') {
    const { max, step, offset } = spec
    const zone = spec.timeZone === undefined ? {} : { timeZone: spec.timeZone }
    const periods = { kind: 'tumbling', size: max, advance: max, offset, ...zone, grace: 0, clock: 'event' } as const
    return new CumulativeWindows(assigner(periods), step)
  }
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

/** One window, from 0 on. */
const unlimited: WindowAssigner = {
  single: true,
  lastStart: () => 0,
  previous: () => -1,
  next: () => Number.POSITIVE_INFINITY,
  startOf: () => 0,
  endOf: () => Number.POSITIVE_INFINITY,
}

class FixedWindows implements WindowAssigner {
  readonly single: boolean
  readonly panes?: PaneGrid
  private readonly size: number
  private readonly advance: number
  private readonly offset: number

  constructor(size: number, advance: number, offset: number) {
    this.size = size
    this.advance = advance
    this.offset = ((offset % advance) + advance) % advance
    this.single = size <= advance
    if (!this.single) this.panes = new PaneGrid(size, advance, this.offset)
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

  startOf(start: number): number {
    return start
  }

  /** With an offset, the window before the first whole one is cut at 0. */
  endOf(start: number): number {
    return start === 0 && this.offset > 0 ? this.offset - this.advance + this.size : start + this.size
  }
}
