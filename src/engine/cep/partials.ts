import type { EventCodec } from './buffer.ts'
import { KeyedMatcher, type MatchSink } from './keyed-matcher.ts'
import { readHead } from './matcher-state.ts'
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

/** All rows of a key as one. @param begun those of matches that have begun apart */
export function packKey(
  head: Uint8Array,
  chunks: Iterable<readonly [chunk: number, row: Uint8Array]>,
  begun: readonly (readonly [chunk: number, row: Uint8Array])[],
): Buffer {
  writer.reset().bytes(head).int(begun.length)
  for (const [chunk, row] of begun) writer.int(chunk).bytes(row)
  for (const [chunk, row] of chunks) writer.int(chunk).bytes(row)
  return writer.copy()
}

/** What the rows of a key that `packKey` joined show. */
export function unpackPartials(packed: Uint8Array, compiled: CompiledMatcher, codec: EventCodec): PartialMatch[] {
  const reader = new RowReader(packed)
  const head = readHead(reader.bytes())
  const row = (): [number, Uint8Array] => [reader.int(), reader.bytes()]
  const begun = Array.from({ length: reader.int() }, row)
  const chunks: [number, Uint8Array][] = []
  while (!reader.done) chunks.push(row())
  const matcher = new KeyedMatcher(compiled, nobody)
  matcher.load(head, chunks, codec)
  // runs that nobody hears of when they end may lie on in rows
  return withBegun(partialMatches(matcher, compiled, head.due), begun, compiled, codec)
}

/** Adds matches that have begun apart to the others of their key. */
export function withBegun(
  found: PartialMatch[],
  begun: readonly (readonly [chunk: number, row: Uint8Array])[],
  compiled: CompiledMatcher,
  codec: EventCodec,
): PartialMatch[] {
  if (begun.length === 0) return found
  const matcher = new KeyedMatcher(compiled, nobody)
  matcher.load({ nextSeq: 0, waiting: [] }, begun, codec)
  return [...found, ...partialMatches(matcher, compiled)].sort((a, b) => a.start - b.start)
}
