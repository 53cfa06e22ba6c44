import { DhaaraError } from '../../errors/index.ts'
import { needCount, needFunction } from '../checks.ts'
import type { WindowSpec } from '../plan/index.ts'
import { type CalendarPeriod, type Duration, toMs } from '../time/index.ts'
import { windowVault } from './content.ts'
import { knownZone, period } from './period.ts'
import type { WindowFactory, WindowKind, WindowOptions, Windows, WindowsWithoutGrace } from './types.ts'

interface Options extends WindowOptions {
  readonly clock?: 'wall'
  readonly advance?: Duration
  readonly step?: Duration
}
type Graced = Extract<WindowSpec, { readonly grace: number }>

const usable = (spec: WindowSpec): Windows<WindowKind> =>
  windowVault.put({ kind: spec.kind } as Windows<WindowKind>, Object.freeze(spec))

/** Wall-clock windows are usable at once; all others ask for their grace first. */
function build(spec: Graced): Windows<WindowKind> | WindowsWithoutGrace<WindowKind> {
  if (spec.clock === 'wall') return usable(spec)
  return Object.freeze({
    grace: (d: Duration) => usable({ ...spec, grace: toMs(d, `windows.${spec.kind} grace`) }),
    noGrace: () => usable(spec),
  })
}

const clockOf = (opts: Options) => (opts.clock === 'wall' ? 'wall' : 'event')

function alignment(opts: Options, what: string) {
  const timeZone = knownZone(opts.timeZone, what)
  const offset = toMs(opts.offset ?? 0, `${what} offset`)
  return timeZone === undefined ? { offset } : { offset, timeZone }
}

function tumbling(size: Duration | CalendarPeriod, opts: Options = {}) {
  const what = 'windows.tumbling'
  const length = period(size, opts.timeZone, `${what} size`)
  return build({
    kind: 'tumbling',
    size: length,
    advance: length,
    ...alignment(opts, what),
    grace: 0,
    clock: clockOf(opts),
  })
}

function hopping(size: Duration, opts: Options) {
  const what = 'windows.hopping'
  const length = toMs(size, `${what} size`, 1)
  const advance = toMs(opts?.advance as Duration, `${what} advance`, 1)
  if (advance > length) {
    const found = `${what}: found an advance of ${advance} ms, expected at most the size, ${length} ms`
    throw new DhaaraError('DHAARA_OPTION', `${found}; records between two windows would be lost: filter them instead`)
  }
  return build({ kind: 'hopping', size: length, advance, ...alignment(opts, what), grace: 0, clock: clockOf(opts) })
}

function cumulative(max: Duration | CalendarPeriod, opts: Options) {
  const what = 'windows.cumulative'
  const length = period(max, opts?.timeZone, `${what} max`)
  const step = toMs(opts?.step as Duration, `${what} step`, 1)
  if (typeof length === 'number' && length % step !== 0) {
    const found = `${what}: found a step of ${step} ms, expected one that divides max, ${length} ms`
    throw new DhaaraError('DHAARA_OPTION', `${found}; choose a step that fits`)
  }
  return build({ kind: 'cumulative', max: length, step, ...alignment(opts, what), grace: 0, clock: 'event' })
}

function session(gap: Duration | ((value: never, key: never) => Duration), opts: Options = {}) {
  const spec =
    typeof gap === 'function' ? needFunction(gap, 'windows.session gap') : toMs(gap, 'windows.session gap', 1)
  return build({ kind: 'session', gap: spec, grace: 0, clock: clockOf(opts) })
}

/**
 * Windows over event time (or the wall clock, or counts). A window is not usable before `.grace(d)` or `.noGrace()` was
 * called; count, unlimited and wall-clock windows are never late and need neither.
 * Lengths are milliseconds or text ('10m'); with a `timeZone` also '1d' '1w' '1M' '1y' of its calendar.
 * @example windows.tumbling('1h', { offset: '30m' }).grace('5m')
 */
export const windows = Object.freeze({
  tumbling,
  hopping,
  cumulative,
  sliding: (d: Duration) =>
    build({ kind: 'sliding', difference: toMs(d, 'windows.sliding difference'), grace: 0, clock: 'event' }),
  session,
  unlimited: () => usable({ kind: 'unlimited' }),
  count: (records: number) => usable({ kind: 'count', records: needCount(records, 'windows.count') }),
}) as unknown as WindowFactory
