import { needCount, needOneOf } from '../checks.ts'
import type { SuppressSpec } from '../plan/index.ts'
import { type Duration, toMs } from '../time/index.ts'
import { Vault } from '../vault.ts'
import type { UntilTimeLimit, UntilWindowCloses } from './types.ts'

export const suppressVault = new Vault<SuppressSpec>("untilWindowCloses() or untilTimeLimit('5s')")

interface Limits {
  readonly maxRecords?: number
  readonly maxBytes?: number
}
function limits(opts: Limits, what: string) {
  return {
    ...(opts.maxRecords === undefined ? {} : { maxRecords: needCount(opts.maxRecords, `${what} maxRecords`) }),
    ...(opts.maxBytes === undefined ? {} : { maxBytes: needCount(opts.maxBytes, `${what} maxBytes`) }),
  }
}

/**
 * Holds a windowed table's changes back until their window closes: one final row a window. Never emits early; when the
 * buffer is full it shuts down (the default), or spills to disk.
 */
export function untilWindowCloses(opts: Limits & { readonly whenFull?: 'shutDown' | 'spill' } = {}): UntilWindowCloses {
  const what = 'untilWindowCloses'
  const whenFull = needOneOf(opts.whenFull ?? 'shutDown', `${what} whenFull`, ['shutDown', 'spill'])
  return suppressVault.put({} as UntilWindowCloses, Object.freeze({ until: 'close', whenFull, ...limits(opts, what) }))
}

/**
 * At most one change a key in each `d` of event time: the latest. When the buffer is full it emits the oldest early (the
 * default), or shuts down.
 */
export function untilTimeLimit(
  d: Duration,
  opts: Limits & { readonly whenFull?: 'emitEarly' | 'shutDown' } = {},
): UntilTimeLimit {
  const what = 'untilTimeLimit'
  const whenFull = needOneOf(opts.whenFull ?? 'emitEarly', `${what} whenFull`, ['emitEarly', 'shutDown'])
  const spec: SuppressSpec = { until: 'time', limit: toMs(d, what), whenFull, ...limits(opts, what) }
  return suppressVault.put({} as UntilTimeLimit, Object.freeze(spec))
}
