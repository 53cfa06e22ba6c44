import type { JoinWindowSpec } from '../plan/index.ts'
import { type Duration, toMs } from '../time/index.ts'
import { joinWindowVault } from './content.ts'
import type { JoinWindows, JoinWindowsWithoutGrace } from './types.ts'

const usable = (spec: JoinWindowSpec) => joinWindowVault.put({} as JoinWindows, Object.freeze(spec))

function build(spec: JoinWindowSpec): JoinWindowsWithoutGrace {
  return Object.freeze({
    before: (d: Duration) => build({ ...spec, before: toMs(d, 'joinWindows before') }),
    after: (d: Duration) => build({ ...spec, after: toMs(d, 'joinWindows after') }),
    grace: (d: Duration) => usable({ ...spec, grace: toMs(d, 'joinWindows grace') }),
    noGrace: () => usable(spec),
  })
}

/**
 * Which records of two streams meet: left.timestamp - before <= right.timestamp <= left.timestamp + after.
 * @example joinWindows.of('10m').before('1m').grace('1m') // right at most 1 min before, at most 10 min after
 */
export const joinWindows: { of(d: Duration): JoinWindowsWithoutGrace } = Object.freeze({
  of(d: Duration) {
    const ms = toMs(d, 'joinWindows.of')
    return build({ before: ms, after: ms, grace: 0 })
  },
})
