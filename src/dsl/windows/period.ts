import { DhaaraError } from '../../errors/index.ts'
import type { PeriodSpec } from '../plan/index.ts'
import { type CalendarPeriod, type Duration, toMs } from '../time/index.ts'
import { show } from '../vault.ts'

const calendar = /^(\d+)([dwMy])$/

/**
 * A window's length. With a time zone, 'd' 'w' 'M' 'y' are calendar units (days of 23 and 25 hours included); without
 * one only fixed lengths exist.
 * @throws DhaaraError DHAARA_DURATION
 */
export function period(length: Duration | CalendarPeriod, timeZone: string | undefined, what: string): PeriodSpec {
  const match = typeof length === 'string' ? calendar.exec(length) : null
  if (match === null) return toMs(length as Duration, what, 1)
  const count = Number(match[1])
  const unit = match[2] as 'd' | 'w' | 'M' | 'y'
  if (timeZone !== undefined) {
    if (count > 0) return { count, unit }
    throw new DhaaraError('DHAARA_DURATION', `${what}: found ${show(length)}, expected at least one unit`)
  }
  if (unit === 'd') return toMs(length as Duration, what, 1)
  const message = `${what}: found ${show(length)}, expected a fixed length where no time zone is given; add {timeZone: 'Asia/Kolkata'}, or write days`
  throw new DhaaraError('DHAARA_DURATION', message)
}

/** @throws DhaaraError DHAARA_OPTION unless the runtime knows the zone */
export function knownZone(timeZone: string | undefined, what: string): string | undefined {
  if (timeZone === undefined) return undefined
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone && timeZone
  } catch (cause) {
    const message = `${what}: found the time zone ${show(timeZone)}, expected an IANA name such as 'Asia/Kolkata'`
    throw new DhaaraError('DHAARA_OPTION', message, { cause })
  }
}
