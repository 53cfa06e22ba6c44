import type { CompiledMatcher, KeyedMatcher } from '../../cep/index.ts'
import type { CacheShare } from '../../../state/stores/index.ts'
import { ColdRows } from './cold-rows.ts'
import type { KeyState } from './key-state.ts'

/** Bytes of a matcher without events, and bytes in memory for one in a row. */
export const MATCHER_BYTES = 1024
const SPREAD = 8
const IDLE_MATCHERS = 256

/**
 * Which keys have a matcher in memory. Those that were not used for long lose it when memory runs short: second chance, a
 * key that was used since it was looked at is spared. Only what has no unwritten changes goes.
 */
export class KeyMemory {
  /** Bytes, estimated. */
  weight = 0
  /** A key's partial matches can be in memory in part. */
  readonly byParts: boolean
  private readonly cache: CacheShare
  private readonly make: () => KeyedMatcher
  /** States are few enough to be told by bits. */
  private readonly fits: boolean
  private readonly idle: KeyedMatcher[] = []
  /** Keys with something in memory, in the order in which they came into it. */
  private line: KeyState[] = []
  private first = 0

  /** @param make a new matcher */
  constructor({ skip, limits }: CompiledMatcher, cache: CacheShare, fits: boolean, make: () => KeyedMatcher) {
    this.byParts = skip.kind === 'none' && limits.maxPartials === Number.POSITIVE_INFINITY
    this.cache = cache
    this.fits = fits
    this.make = make
  }

  /** One that holds nothing. */
  matcher(): KeyedMatcher {
    return this.idle.pop() ?? this.make()
  }

  /** Takes one back that holds nothing. */
  retire(matcher: KeyedMatcher): void {
    matcher.reset()
    if (this.idle.length < IDLE_MATCHERS) this.idle.push(matcher)
  }

  /** After a key got a matcher. @param keys with live state */
  queue(state: KeyState, keys: number): void {
    if (state.queued) return
    state.queued = true
    this.line.push(state)
    if (this.line.length <= 2 * keys + 1024) return
    const live = (one: KeyState): boolean => !one.dead && one.matcher !== null
    const queued = this.line.slice(this.first)
    this.line = queued.filter(live)
    for (const one of queued) one.queued = live(one)
    this.first = 0
  }

  /** After what lies in the key's rows changed. */
  weigh(state: KeyState): void {
    let weight = 0
    if (state.chunks !== null) {
      for (const size of state.chunks.values()) weight += size
      weight = MATCHER_BYTES + SPREAD * weight
    }
    this.weight += weight - state.weight
    state.weight = weight
  }

  /** @param looks how many keys to look at, at most */
  evict(looks: number): void {
    const { cache } = this
    const limit = cache.allowed(this.weight)
    if (this.weight <= limit) return
    const most = Math.min(looks, (this.line.length - this.first) * 2)
    for (let looked = 0; looked < most && this.weight > limit; looked++) {
      const state = this.line[this.first]
      if (state === undefined) break
      this.first++
      if (state.dead || state.matcher === null) state.queued = false
      else if (state.dirty !== 0 || state.used) {
        state.used = false
        this.line.push(state)
      } else {
        state.queued = false
        this.cool(state, state.matcher)
      }
    }
    if (this.first * 2 > this.line.length) {
      this.line = this.line.slice(this.first)
      this.first = 0
    }
    cache.allowed(this.weight)
  }

  private cool(state: KeyState, matcher: KeyedMatcher): void {
    if (!this.byParts) {
      if (!matcher.idle) state.cold = [{ ...matcher.head(), chunks: null }]
    } else if (!this.coolRows(state, matcher)) state.cold = [...(state.cold ?? []), ...matcher.parts()]
    state.nextSeq = matcher.nextSeq
    state.matcher = null
    state.chunks = null
    this.weigh(state)
  }

  /** @returns false: some of the runs have events in several chunks */
  private coolRows(state: KeyState, matcher: KeyedMatcher): boolean {
    if (!this.fits) return false
    const rows = [...(state.rows ?? [])]
    const done = matcher.families((chunk, states, due, count) => ColdRows.of(states, rows).add(chunk, due, count))
    if (done) state.rows = rows.length === 0 ? null : rows
    return done
  }
}
