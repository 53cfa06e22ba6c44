import { DhaaraError } from '../../errors/index.ts'
import { show } from '../vault.ts'
import type { Duration } from './types.ts'

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const form = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/
const cure = "write whole milliseconds or text such as '500ms', '5s', '10m', '2h', '7d'"

/**
 * Milliseconds of a duration.
 * @param what names the option in the error, for example `windows.tumbling size`
 * @param least smallest value allowed, in milliseconds
 * @throws DhaaraError DHAARA_DURATION if it is malformed, negative, not finite, no whole number, or under `least`
 */
export function toMs(d: Duration, what = 'duration', least = 0): number {
  const ms = typeof d === 'string' ? parse(d, what) : d
  if (typeof ms !== 'number' || !Number.isFinite(ms)) fail(what, d, 'a finite number of milliseconds or a duration')
  if (!Number.isSafeInteger(ms)) fail(what, d, 'whole milliseconds')
  if (ms < least) fail(what, d, least === 0 ? 'a duration that is not negative' : `at least ${least} ms`)
  return ms
}

/**
 * For computed text, where the literal type cannot check: `duration(process.env.GAP ?? '5s')`.
 * @returns milliseconds
 * @throws DhaaraError DHAARA_DURATION on malformed text
 * @example duration('1.5s') // 1500
 */
export function duration(text: string): number {
  if (typeof text !== 'string') fail('duration', text, 'text')
  return toMs(parse(text, 'duration'), 'duration')
}

function parse(text: string, what: string): number {
  const match = form.exec(text)
  if (match === null) fail(what, text, 'a number with one of the units ms, s, m, h, d')
  const ms = Number(match[1]) * (units[match[2] as string] as number)
  // 2.3 * 60000 is 137999.99999999997
  const whole = Math.round(ms)
  return Math.abs(ms - whole) < 1e-6 ? whole : ms
}

function fail(what: string, found: unknown, expected: string): never {
  throw new DhaaraError('DHAARA_DURATION', `${what}: found ${show(found)}, expected ${expected}; ${cure}`)
}
