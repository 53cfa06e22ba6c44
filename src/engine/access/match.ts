import { type PartialMatch, partialMatches, withBegun } from '../cep/index.ts'
import type { Match } from '../operators/match/match.ts'

/** The store of a match step as user code sees it: it belongs to its step. Partial matches, oldest first of each pattern. */
export class MatchAccess {
  private readonly match: Match

  constructor(match: Match) {
    this.match = match
  }

  /** undefined for a key without partial matches. */
  get(key: unknown): readonly PartialMatch[] | undefined {
    const { keys, compiled, codec } = this.match
    const matcher = keys.peek(key)
    const begun = keys.begunOf(key)
    if (matcher === undefined && begun.length === 0) return undefined
    return withBegun(matcher === undefined ? [] : partialMatches(matcher, compiled), begun, compiled, codec)
  }

  has(key: unknown): boolean {
    return this.get(key) !== undefined
  }

  /** Keys with live state. */
  get approximateCount(): number {
    return this.match.keys.size
  }

  /** Partial matches of all keys; counted without reading them. */
  get livePartials(): number {
    return this.match.keys.livePartials
  }

  /** Records that wait for their time, of all keys. */
  get waiting(): number {
    return this.match.waiting
  }

  *all(): Generator<readonly [key: unknown, partials: readonly PartialMatch[]]> {
    for (const key of this.match.keys.live()) yield [key, this.get(key) ?? []]
  }
}
