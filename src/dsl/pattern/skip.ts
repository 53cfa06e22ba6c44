import { DhaaraError } from '../../errors/index.ts'
import { show, Vault } from '../vault.ts'
import type { AfterMatchSkip as AfterMatchSkipType, AfterMatchSkipFactory } from './types.ts'

export interface SkipSpec {
  readonly kind: 'none' | 'toNext' | 'pastLastEvent' | 'toFirst' | 'toLast'
  /** The step skipped to, for `toFirst` and `toLast`. */
  readonly to: string | null
  readonly throwOnMiss: boolean
}

const skips = new Vault<SkipSpec>('a skip strategy, for example AfterMatchSkip.pastLastEvent()')
const none: SkipSpec = Object.freeze({ kind: 'none', to: null, throwOnMiss: false })

/** What stands behind a skip strategy; none if there is none. @throws DhaaraError DHAARA_OPTION */
export const skipSpec = (given: unknown): SkipSpec => (given === undefined ? none : skips.open(given))

const plain = (kind: SkipSpec['kind']) => {
  const skip = skips.put({} as AfterMatchSkipType, Object.freeze({ ...none, kind }))
  return () => skip
}

const named =
  (kind: 'toFirst' | 'toLast') =>
  (name: string, opts: { readonly throwOnMiss?: boolean } = {}) => {
    if (typeof name !== 'string' || name === '') {
      throw new DhaaraError('DHAARA_OPTION', `AfterMatchSkip.${kind}: found ${show(name)}; expected the name of a step`)
    }
    const spec = Object.freeze({ kind, to: name, throwOnMiss: opts.throwOnMiss === true })
    return skips.put({} as AfterMatchSkipType<string>, spec)
  }

export type AfterMatchSkip<N extends string = never> = AfterMatchSkipType<N>

/**
 * What becomes of the other partial matches once there is a match; Flink's strategies. With any but `none` a match
 * waits while a partial match that began before it lives.
 * @example new PatternMatcher(pattern, { skip: AfterMatchSkip.toLast('b', { throwOnMiss: true }) })
 */
export const AfterMatchSkip: AfterMatchSkipFactory = Object.freeze({
  none: plain('none'),
  toNext: plain('toNext'),
  pastLastEvent: plain('pastLastEvent'),
  toFirst: named('toFirst'),
  toLast: named('toLast'),
}) as AfterMatchSkipFactory
