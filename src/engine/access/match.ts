import type { Match } from '../operators/match/match.ts'

/** A match that has begun. */
export interface PartialMatch {
  /** Tag of its pattern; '' where there is one alone. */
  readonly pattern: string
  /** Timestamp of its first event. */
  readonly start: number
  /** Events so far, by name. */
  readonly events: Readonly<Record<string, readonly unknown[]>>
}

/** The store of a match step as user code sees it: it belongs to its step. Partial matches, oldest first of each pattern. */
export class MatchAccess {
  private readonly match: Match

  constructor(match: Match) {
    this.match = match
  }

  /** undefined for a key without partial matches. */
  get(key: unknown): readonly PartialMatch[] | undefined {
    const matcher = this.match.keys.peek(key)
    if (matcher === undefined) return undefined
    const tags = this.match.compiled.tags
    return Array.from(matcher.partials(), ({ pattern, partial, start }) => ({
      pattern: tags?.[pattern] ?? '',
      start,
      events: partial,
    }))
  }

  has(key: unknown): boolean {
    return this.get(key) !== undefined
  }

  /** Keys with live state. */
  get approximateCount(): number {
    return this.match.keys.size
  }

  /** Records that wait for their time, of all keys. */
  get waiting(): number {
    return this.match.waiting
  }

  *all(): Generator<readonly [key: unknown, partials: readonly PartialMatch[]]> {
    for (const key of this.match.keys.live()) yield [key, this.get(key) ?? []]
  }
}
