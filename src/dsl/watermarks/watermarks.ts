import { needFunction } from '../checks.ts'
import type { WatermarkSpec } from '../plan/index.ts'
import { type Duration, toMs } from '../time/index.ts'
import { Vault } from '../vault.ts'
import type { WatermarkFactory, WatermarkStrategy } from './types.ts'

const strategies = new Vault<WatermarkSpec>("a watermark strategy, for example watermarks.boundedOutOfOrderness('5s')")

function strategy(spec: WatermarkSpec): WatermarkStrategy<never> {
  const shell = {
    withIdleness: (d: Duration, opts: { readonly then?: 'followClock' } = {}) =>
      strategy({ ...spec, idleAfter: toMs(d, 'withIdleness', 1), followClock: opts.then === 'followClock' }),
    withoutIdleness: () => strategy({ ...spec, idleAfter: null, followClock: false }),
  }
  return strategies.put(shell as WatermarkStrategy<never>, Object.freeze(spec))
}

const base = { bound: 0, idleAfter: 30_000, followClock: false } as const

/**
 * How a source tells event time. W never goes back; it is a function of the sequence of records alone.
 * @example watermarks.boundedOutOfOrderness('5s').withIdleness('1m')
 */
export const watermarks = Object.freeze({
  monotonous: () => strategy({ ...base, kind: 'monotonous' }),
  boundedOutOfOrderness: (d: Duration) =>
    strategy({ ...base, kind: 'bounded', bound: toMs(d, 'watermarks.boundedOutOfOrderness') }),
  punctuated: (fn: unknown) => strategy({ ...base, kind: 'punctuated', fn: needFunction(fn, 'watermarks.punctuated') }),
  none: () => strategy({ ...base, kind: 'none' }),
}) as unknown as WatermarkFactory

/** The strategy of a source's `watermark` option; monotonous if none is given. */
export function watermarkSpec(given: unknown): WatermarkSpec {
  if (given === undefined) return { ...base, kind: 'monotonous' }
  return strategies.open(typeof given === 'function' ? given(watermarks) : given)
}
