/**
 * The state of one key's matcher in rows, so that an operator can store what changed and nothing else:
 *
 * | row | holds | changes |
 * | --- | --- | --- |
 * | head | next seq, when time must be moved, per pattern: states that runs rest in, complete matches that wait | with any other |
 * | chunk n | events and families of runs with seq 8n … 8n + 7 | when one of them comes, goes or moves |
 *
 * `(seq, ord)` names a node: an event and the how-manyth node it got. Numbers of states and steps follow from the pattern,
 * so they hold as long as `shapeOf(spec)` does. Time is not part of the state: timers follow from the rows.
 */
import { DhaaraError } from '../../errors/index.ts'
import { chunkOf, type EventBuffer, type EventCodec, EventEntry, type MatchNode, Packed } from './buffer.ts'
import type { PatternRuns } from './pattern-runs.ts'
import { RowReader, RowWriter } from './row.ts'
import type { Family } from './run.ts'

export type Chunks = Iterable<readonly [chunk: number, row: Uint8Array]>

/** What can be told of a matcher without its chunks. */
export interface Head {
  readonly nextSeq: number
  /** When time must be moved next; Infinity: never. */
  readonly due: number
  readonly patterns: readonly PatternHead[]
}

export interface PatternHead {
  /** Partial matches. */
  readonly count: number
  /** States that they rest in. */
  readonly states: readonly number[]
  readonly waiting: readonly WaitingRow[]
}

interface WaitingRow {
  readonly startTs: number
  readonly startSeq: number
  readonly seq: number
  readonly ord: number
}

const writer = new RowWriter()

export function writeHead(buffer: EventBuffer, runs: readonly PatternRuns[], due: number): Buffer {
  writer.reset().int(buffer.nextSeq).double(due).int(runs.length)
  for (const { count, resting, waiting } of runs) {
    writer.int(count).int(resting.length)
    for (const state of resting) writer.int(state)
    const items = waiting?.items ?? []
    writer.int(items.length)
    for (const { startTs, startSeq, tail } of items)
      writer.double(startTs).int(startSeq).int(tail.event.seq).int(tail.ord)
  }
  return writer.copy()
}

export function readHead(row: Uint8Array): Head {
  const reader = new RowReader(row)
  const nextSeq = reader.int()
  const due = reader.double()
  const patterns: PatternHead[] = []
  for (let left = reader.int(); left > 0; left--) {
    const count = reader.int()
    const states = Array.from({ length: reader.int() }, () => reader.int())
    const waiting = Array.from({ length: reader.int() }, () => ({
      startTs: reader.double(),
      startSeq: reader.int(),
      seq: reader.int(),
      ord: reader.int(),
    }))
    patterns.push({ count, states, waiting })
  }
  return { nextSeq, due, patterns }
}

interface Chunk {
  readonly events: EventEntry[]
  readonly families: [pattern: number, family: Family][]
}

/** The rows of these chunks, of all if null is given; one that holds nothing any more has none. */
export function writeChunks(
  buffer: EventBuffer,
  runs: readonly PatternRuns[],
  wanted: ReadonlySet<number> | null,
  codec: EventCodec,
): Map<number, Buffer> {
  const chunks = new Map<number, Chunk>()
  const chunkFor = (seq: number): Chunk | undefined => {
    const n = chunkOf(seq)
    if (wanted !== null && !wanted.has(n)) return undefined
    let chunk = chunks.get(n)
    if (chunk === undefined) {
      chunk = { events: [], families: [] }
      chunks.set(n, chunk)
    }
    return chunk
  }
  for (let event = buffer.first; event !== null; event = event.after) chunkFor(event.seq)?.events.push(event)
  for (let i = 0; i < runs.length; i++) {
    for (let f = (runs[i] as PatternRuns).oldest; f !== null; f = f.after) chunkFor(f.startSeq)?.families.push([i, f])
  }
  return new Map(Array.from(chunks, ([n, chunk]) => [n, writeChunk(chunk, codec)]))
}

function writeChunk({ events, families }: Chunk, codec: EventCodec): Buffer {
  writer.reset().int(events.length)
  for (const event of events) {
    writer.int(event.seq).double(event.ts).bytes(event.encoded(codec)).int(event.made)
    const nodes = new Array<MatchNode | undefined>(event.made)
    for (let node = event.nodes; node !== null; node = node.sibling) nodes[node.ord] = node
    for (const node of nodes) writeNode(node)
  }
  for (const [pattern, family] of families) {
    let n = 0
    for (let run = family.first; run !== null; run = run.after) n++
    writer.int(pattern).int(family.startSeq).double(family.startTs).int(n)
    for (let run = family.first; run !== null; run = run.after)
      writer.int(run.state).int(run.tail.event.seq).int(run.tail.ord)
  }
  return writer.copy()
}

/** Pattern + 1, step, seq before + 1, ord before; 0 for what nothing points at any more. */
function writeNode(node: MatchNode | undefined): void {
  if (node === undefined || node.refs === 0) {
    writer.int(0)
    return
  }
  const { prev } = node
  writer.int(node.pattern + 1).int(node.step)
  if (prev === null) writer.int(0)
  else writer.int(prev.event.seq + 1).int(prev.ord)
}

/** A stored event, made when a run needs it. */
interface StoredEvent {
  readonly seq: number
  readonly ts: number
  readonly value: Packed
  /** By ord: null for what is gone, else [pattern, step, prevSeq, prevOrd], prevSeq -1 for none. */
  readonly rows: readonly (readonly [number, number, number, number] | null)[]
  readonly nodes: (MatchNode | undefined)[]
  entry: EventEntry | null
}
interface StoredFamily {
  readonly pattern: number
  readonly startSeq: number
  readonly startTs: number
  readonly runs: readonly (readonly [state: number, seq: number, ord: number])[]
}

/** Fills an empty matcher. @throws DhaaraError DHAARA_STATE_CORRUPT if rows are missing */
export function load(
  buffer: EventBuffer,
  runs: readonly PatternRuns[],
  head: Head,
  chunks: Chunks,
  codec: EventCodec,
): void {
  const events = new Map<number, StoredEvent>()
  const families: StoredFamily[] = []
  for (const [, row] of chunks) readChunk(new RowReader(row), codec, events, families)
  const nodeAt = (seq: number, ord: number) => nodeOf(buffer, events, seq, ord)
  families.sort((a, b) => a.startSeq - b.startSeq)
  for (const family of families) {
    const own = need(runs[family.pattern], `pattern ${family.pattern}`)
    own.restore(
      family.startTs,
      family.startSeq,
      family.runs.map(([state, seq, ord]) => ({ state, tail: nodeAt(seq, ord) })),
    )
  }
  for (const [pattern, { waiting }] of head.patterns.entries()) {
    for (const { startTs, startSeq, seq, ord } of waiting) {
      const tail = nodeAt(seq, ord)
      tail.refs++
      runs[pattern]?.waiting?.items.push({ startTs, startSeq, tail, place: 0, branch: 0 })
    }
  }
  buffer.nextSeq = head.nextSeq
  buffer.dirty?.clear()
}

function readChunk(
  reader: RowReader,
  codec: EventCodec,
  events: Map<number, StoredEvent>,
  families: StoredFamily[],
): void {
  for (let left = reader.int(); left > 0; left--) {
    const seq = reader.int()
    const ts = reader.double()
    const value = new Packed(reader.bytes(), codec)
    const made = reader.int()
    const rows: StoredEvent['rows'][number][] = []
    for (let ord = 0; ord < made; ord++) {
      const pattern = reader.int() - 1
      if (pattern === -1) rows.push(null)
      else {
        const step = reader.int()
        const prevSeq = reader.int() - 1
        rows.push([pattern, step, prevSeq, prevSeq === -1 ? 0 : reader.int()])
      }
    }
    events.set(seq, { seq, ts, value, rows, nodes: [], entry: null })
  }
  while (!reader.done) {
    const pattern = reader.int()
    const startSeq = reader.int()
    const startTs = reader.double()
    const runs: [number, number, number][] = []
    for (let left = reader.int(); left > 0; left--) runs.push([reader.int(), reader.int(), reader.int()])
    families.push({ pattern, startSeq, startTs, runs })
  }
}

/** Makes a node again, and those before it. */
function nodeOf(buffer: EventBuffer, events: ReadonlyMap<number, StoredEvent>, seq: number, ord: number): MatchNode {
  const open: [event: StoredEvent, ord: number][] = []
  let at = need(events.get(seq), `event ${seq}`)
  let n = ord
  while (at.nodes[n] === undefined) {
    open.push([at, n])
    const row = need(at.rows[n] ?? undefined, `node ${n} of event ${at.seq}`)
    if (row[2] === -1) break
    n = row[3]
    at = need(events.get(row[2]), `event ${row[2]}`)
  }
  for (let i = open.length - 1; i >= 0; i--) {
    const [event, own] = open[i] as [StoredEvent, number]
    const [pattern, step, prevSeq, prevOrd] = event.rows[own] as readonly [number, number, number, number]
    const prev = prevSeq === -1 ? null : (events.get(prevSeq)?.nodes[prevOrd] as MatchNode)
    if (event.entry === null) {
      event.entry = new EventEntry(event.seq, event.ts, event.value, 0)
      event.entry.made = event.rows.length
      buffer.hold(event.entry)
    }
    event.nodes[own] = buffer.node(pattern, step, event.entry, prev, own)
  }
  return (events.get(seq) as StoredEvent).nodes[ord] as MatchNode
}

function need<V>(found: V | undefined, part: string): V {
  if (found !== undefined) return found
  const cure = 'restore all rows of one snapshot'
  throw new DhaaraError('DHAARA_STATE_CORRUPT', `A matcher's state lacks ${part}; ${cure}`)
}
