import type { EventCodec } from './buffer.ts'
import { KeyedMatcher, type MatchSink } from './keyed-matcher.ts'
import { type Chunks, readHead } from './matcher-state.ts'
import type { CompiledMatcher } from './plan.ts'
import { RowReader, RowWriter } from './row.ts'

/** A match that has begun. */
export interface PartialMatch {
  /** Tag of its pattern; '' where there is one alone. */
  readonly pattern: string
  /** Timestamp of its first event. */
  readonly start: number
  /** Events so far, by name. */
  readonly events: Readonly<Record<string, readonly unknown[]>>
}

/** Partial matches, oldest first of each pattern; those whose window ended before `from` are left out. */
export function partialMatches(
  matcher: KeyedMatcher,
  { tags, automata }: CompiledMatcher,
  from = Number.NEGATIVE_INFINITY,
): PartialMatch[] {
  const found: PartialMatch[] = []
  for (const { pattern, partial, start } of matcher.partials()) {
    const within = automata[pattern]?.within ?? 0
    if (within > 0 && start + within < from) continue
    found.push({ pattern: tags?.[pattern] ?? '', start, events: partial })
  }
  return found
}

const writer = new RowWriter()
const nobody: MatchSink = { onMatch: () => {}, onTimeout: () => {} }

/** All rows of a key as one. */
export function packKey(head: Uint8Array, chunks: Chunks): Buffer {
  writer.reset().bytes(head)
  for (const [chunk, row] of chunks) writer.int(chunk).bytes(row)
  return writer.copy()
}

/** What the rows of a key that `packKey` joined show. */
export function unpackPartials(packed: Uint8Array, compiled: CompiledMatcher, codec: EventCodec): PartialMatch[] {
  const reader = new RowReader(packed)
  const head = readHead(reader.bytes())
  const chunks: [number, Uint8Array][] = []
  while (!reader.done) chunks.push([reader.int(), reader.bytes()])
  const matcher = new KeyedMatcher(compiled, nobody)
  matcher.load(head, chunks, codec)
  // runs that nobody hears of when they end may lie on in rows
  return partialMatches(matcher, compiled, head.due)
}
