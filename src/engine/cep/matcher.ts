import { Packr } from 'msgpackr'
import { AfterMatchSkip, type MatcherOptions, type Pattern } from '../../dsl/pattern/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import type { EventCodec } from './buffer.ts'
import { KeyedMatcher, type MatchRecord, type MatchSink } from './keyed-matcher.ts'
import { readHead, writeHead } from './matcher-state.ts'
import { type CompiledMatcher, compileMatcher } from './plan.ts'
import { changeOfShape } from './shape.ts'

/** What one call of a matcher gave, in order. */
export interface MatcherResult<M> {
  readonly matches: readonly M[]
  readonly timedOut: readonly { readonly partial: Partial<M>; readonly at: number }[]
}

type Options<T, M> = MatcherOptions<T, M> & { readonly timeouts?: boolean }
/** Version, shape, what the options say, head, chunks. */
type Snapshot = readonly [number, string, SavedOptions, Uint8Array, [number, Uint8Array][]]
interface SavedOptions {
  readonly skip: { readonly kind: string; readonly to: string | null; readonly throwOnMiss: boolean }
  readonly maxPartials: number | null
  readonly whenFull: 'dropOldest' | 'dropNewest' | 'fail'
  readonly timeouts: boolean
}

const version = 2
// Keeps Map, Set, Date, undefined and shared references of the events.
const packr = new Packr({ structuredClone: true })
const events: EventCodec = { encode: (value) => packr.pack(value), decode: (bytes) => packr.unpack(bytes) }

/**
 * The bare automaton, no topology: one key, arrival order. `orderBy` has no meaning here.
 * @example
 * const matcher = new PatternMatcher(pattern<Tick>().begin('up').where((t) => t.rose).times(3).consecutive())
 * for (const tick of ticks) for (const { up } of matcher.process(tick, tick.at).matches) console.log(up.length)
 */
export class PatternMatcher<T, M> {
  private readonly compiled: CompiledMatcher
  private readonly matcher: KeyedMatcher
  private result: { matches: M[]; timedOut: { partial: Partial<M>; at: number }[] } = { matches: [], timedOut: [] }

  /**
   * @param opts `timeouts`: tell partial matches that their window ended
   * @throws PatternError if only the whole pattern shows that it makes no sense
   */
  constructor(pattern: Pattern<T, M>, opts: Options<T, M> = {}) {
    this.compiled = compileMatcher(pattern, opts)
    const out: MatchSink = {
      onMatch: (_pattern, match) => this.result.matches.push(match as M),
      onTimeout: (_pattern, partial, at) => this.result.timedOut.push({ partial: partial as Partial<M>, at }),
    }
    this.matcher = new KeyedMatcher(this.compiled, out)
  }

  /**
   * First moves time to `timestamp`, then offers the event.
   * @throws what a condition throws: then the event has changed nothing, and what time gave comes with the next result
   */
  process(event: T, timestamp: number): MatcherResult<M> {
    this.matcher.process(event, timestamp)
    return this.take()
  }

  /** Ends what is due at or before `timestamp`. */
  advanceTime(timestamp: number): MatcherResult<M> {
    this.matcher.advance(timestamp)
    return this.take()
  }

  get livePartials(): number {
    return this.matcher.livePartials
  }

  get retainedEvents(): number {
    return this.matcher.retainedEvents
  }

  /** The state with its events, for `restore`. */
  snapshot(): Uint8Array {
    const { shape, skip, limits, timeouts } = this.compiled
    const { maxPartials, whenFull } = limits
    const most = Number.isFinite(maxPartials) ? maxPartials : null
    const options: SavedOptions = { skip, maxPartials: most, whenFull, timeouts }
    const snapshot: Snapshot = [
      version,
      shape,
      options,
      writeHead(this.matcher.head()),
      [...this.matcher.chunks(events)],
    ]
    return packr.pack(snapshot)
  }

  /**
   * Goes on where the matcher that made `snapshot` stood, with its options. Conditions and windows may differ, steps may not.
   * @throws DhaaraError DHAARA_STATE_INCOMPATIBLE if the pattern has other steps
   */
  static restore<T, M>(pattern: Pattern<T, M>, snapshot: Uint8Array): PatternMatcher<T, M> {
    const [found, shape, saved, head, chunks] = packr.unpack(snapshot) as Snapshot
    if (found !== version) {
      throw new DhaaraError('DHAARA_STATE_VERSION', `Found a matcher's state of version ${found}; expected ${version}`)
    }
    const { skip, maxPartials, whenFull, timeouts } = saved
    const matcher = new PatternMatcher<T, M>(pattern, {
      skip: skipOf(skip) as never,
      ...(maxPartials === null ? {} : { maxPartials }),
      whenFull,
      timeouts,
    })
    if (shape !== matcher.compiled.shape) {
      const cure = 'restore with the pattern that the state was made with; only conditions and windows may change'
      const change = changeOfShape(shape, matcher.compiled.shape)
      throw new DhaaraError('DHAARA_STATE_INCOMPATIBLE', `The state is of another pattern: ${change}; ${cure}`)
    }
    matcher.matcher.load(readHead(head), chunks, events)
    return matcher
  }

  private take(): MatcherResult<M> {
    const { result } = this
    if (result.matches.length === 0 && result.timedOut.length === 0) return nothing
    this.result = { matches: [], timedOut: [] }
    return result
  }
}

const nothing: MatcherResult<never> = Object.freeze({ matches: Object.freeze([]), timedOut: Object.freeze([]) })

function skipOf({ kind, to, throwOnMiss }: SavedOptions['skip']): unknown {
  if (kind === 'toFirst' || kind === 'toLast') return AfterMatchSkip[kind](to as string, { throwOnMiss })
  return AfterMatchSkip[kind as 'none']()
}

export type { MatchRecord }
