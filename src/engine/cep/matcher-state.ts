/**
 * The state of one key's matcher in rows, so that an operator can store what changed and nothing else:
 *
 * | row | holds | changes |
 * | --- | --- | --- |
 * | head | next seq, when time must be moved, number of runs; per pattern: states that runs rest in, matches that wait | with any other |
 * | chunk n | a few events in a row, families of runs that began with one of them | when one of these comes, goes or moves |
 *
 * `(seq, ord)` names a node: an event and the how-manyth node it got. Numbers of states and steps follow from the pattern,
 * so they hold as long as `shapeOf(spec)` does. Time is not part of the state: timers follow from the rows.
 */
import { DhaaraError } from '../../errors/index.ts'
import { type EventBuffer, type EventCodec, EventEntry, type MatchNode, Packed } from './buffer.ts'
import { Chunk, chunkOf } from './chunk.ts'
import type { PatternRuns } from './pattern-runs.ts'
import { RowReader, RowWriter } from './row.ts'
import type { Complete } from './run.ts'

export type Chunks = Iterable<readonly [chunk: number, row: Uint8Array]>

/** What can be told of a matcher without its chunks. */
export interface Head {
  readonly nextSeq: number
  /** When time must be moved next; Infinity: never. */
  readonly due: number
  /** Partial matches. */
  readonly count: number
  /** By pattern: states that they rest in. */
  readonly states: States
  /** By pattern: matches that are complete and wait. */
  readonly waiting: readonly (readonly WaitingRow[])[]
}

export type States = readonly (readonly number[])[]

interface WaitingRow {
  readonly startTs: number
  readonly startSeq: number
  readonly seq: number
  readonly ord: number
}

const writer = new RowWriter()

export function headOf(buffer: EventBuffer, runs: readonly PatternRuns[], due: number): Head {
  let count = 0
  for (const own of runs) count += own.count
  const row = ({ startTs, startSeq, tail }: Complete) => ({ startTs, startSeq, seq: tail.event.seq, ord: tail.ord })
  return {
    nextSeq: buffer.nextSeq,
    due,
    count,
    states: runs.map(({ resting }) => resting),
    waiting: runs.map(({ waiting }) => (waiting?.items ?? []).map(row)),
  }
}

export function writeHead({ nextSeq, due, count, states, waiting }: Head): Buffer {
  writer.reset().int(nextSeq).double(due).int(count).int(states.length)
  for (let i = 0; i < states.length; i++) {
    const own = states[i] as readonly number[]
    writer.int(own.length)
    for (const state of own) writer.int(state)
    const items = waiting[i] ?? []
    writer.int(items.length)
    for (const { startTs, startSeq, seq, ord } of items) writer.double(startTs).int(startSeq).int(seq).int(ord)
  }
  return writer.copy()
}

export function readHead(row: Uint8Array): Head {
  const reader = new RowReader(row)
  const nextSeq = reader.int()
  const due = reader.double()
  const count = reader.int()
  const states: number[][] = []
  const waiting: WaitingRow[][] = []
  for (let left = reader.int(); left > 0; left--) {
    states.push(Array.from({ length: reader.int() }, () => reader.int()))
    waiting.push(
      Array.from({ length: reader.int() }, () => ({
        startTs: reader.double(),
        startSeq: reader.int(),
        seq: reader.int(),
        ord: reader.int(),
      })),
    )
  }
  return { nextSeq, due, count, states, waiting }
}

/** Takes the row of a chunk; null if it holds nothing any more. The bytes are valid during the call. */
export type TakeRow = (chunk: number, row: Uint8Array | null) => void

/** Gives the rows of the chunks that changed since the last call. */
export function writeChanges(buffer: EventBuffer, codec: EventCodec, take: TakeRow): void {
  const dirty = buffer.dirty ?? []
  for (let i = 0; i < dirty.length; i++) {
    const chunk = dirty[i] as Chunk
    chunk.dirty = false
    take(chunk.n, chunk.first === null ? null : writeChunk(chunk, codec).view())
  }
  dirty.length = 0
}

/** Rows of all chunks. */
export function writeAll(runs: readonly PatternRuns[], codec: EventCodec): Map<number, Buffer> {
  const chunks = new Set<Chunk>()
  const addPath = (tail: MatchNode): void => {
    for (let node: MatchNode | null = tail; node !== null; node = node.prev) chunks.add(node.event.chunk)
  }
  for (const { oldest, waiting } of runs) {
    for (let f = oldest; f !== null; f = f.after)
      for (let run = f.first; run !== null; run = run.after) addPath(run.tail)
    for (const { tail } of waiting?.items ?? []) addPath(tail)
  }
  return new Map(Array.from(chunks, (chunk) => [chunk.n, writeChunk(chunk, codec).copy()]))
}

function writeChunk({ first, families }: Chunk, codec: EventCodec): RowWriter {
  let events = 0
  for (let event = first; event !== null; event = event.after) events++
  writer.reset().int(events)
  for (let event = first; event !== null; event = event.after) {
    writer.int(event.seq).double(event.ts).bytes(event.encoded(codec)).int(event.made)
    const nodes = new Array<MatchNode | undefined>(event.made)
    for (let node = event.nodes; node !== null; node = node.sibling) nodes[node.ord] = node
    for (const node of nodes) writeNode(node)
  }
  for (const family of families) {
    let n = 0
    for (let run = family.first; run !== null; run = run.after) n++
    writer.int(family.pattern).int(family.startSeq).double(family.startTs).int(n)
    for (let run = family.first; run !== null; run = run.after)
      writer.int(run.state).int(run.tail.event.seq).int(run.tail.ord)
  }
  return writer
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
  readonly chunk: Chunk
  entry: EventEntry | null
}
interface StoredFamily {
  readonly pattern: number
  readonly startSeq: number
  readonly startTs: number
  readonly runs: readonly (readonly [state: number, seq: number, ord: number])[]
}

/**
 * Adds what lies in these chunks to a matcher; together with whatever they are connected with.
 * @throws DhaaraError DHAARA_STATE_CORRUPT if rows are missing
 */
export function load(
  buffer: EventBuffer,
  runs: readonly PatternRuns[],
  waiting: Head['waiting'],
  chunks: Chunks,
  codec: EventCodec,
): void {
  const { dirty } = buffer
  buffer.dirty = null
  try {
    loadRows(buffer, runs, waiting, chunks, codec)
  } finally {
    buffer.dirty = dirty
  }
}

/** The same, of chunks that are to be written as changed ones. */
export function adopt(buffer: EventBuffer, runs: readonly PatternRuns[], chunks: Chunks, codec: EventCodec): void {
  loadRows(buffer, runs, [], chunks, codec)
}

function loadRows(
  buffer: EventBuffer,
  runs: readonly PatternRuns[],
  waiting: Head['waiting'],
  chunks: Chunks,
  codec: EventCodec,
): void {
  const events = new Map<number, StoredEvent>()
  const families: StoredFamily[] = []
  for (const [n, row] of chunks) {
    const chunk = new Chunk(n)
    if (n === chunkOf(buffer.nextSeq)) buffer.newest = chunk
    readChunk(new RowReader(row), chunk, codec, events, families)
  }
  const nodeAt = (seq: number, ord: number) => nodeOf(buffer, events, seq, ord)
  families.sort((a, b) => a.startSeq - b.startSeq)
  for (const family of families) {
    const own = need(runs[family.pattern], `pattern ${family.pattern}`)
    const restored = family.runs.map(([state, seq, ord]) => ({ state, tail: nodeAt(seq, ord) }))
    const start = need(events.get(family.startSeq)?.entry ?? undefined, `event ${family.startSeq}`)
    own.restore(family.startTs, start, restored)
  }
  for (const [pattern, items] of waiting.entries()) {
    for (const { startTs, startSeq, seq, ord } of items) {
      const tail = nodeAt(seq, ord)
      tail.refs++
      runs[pattern]?.waiting?.items.push({ startTs, startSeq, tail, place: 0, branch: 0 })
    }
  }
}

function readChunk(
  reader: RowReader,
  chunk: Chunk,
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
    events.set(seq, { seq, ts, value, rows, nodes: [], chunk, entry: null })
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
      event.entry = new EventEntry(event.seq, event.ts, event.value, 0, event.chunk)
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
