import { Chunk, chunkOf } from './chunk.ts'

/**
 * The shared match buffer of one key. An event is held once, however many runs took it. A run is the last node of a
 * path: each node names the event, the step it was taken for and the node before. Paths of a common past share their
 * nodes, so a loop of n events costs n nodes, not n²:
 *
 *     a1 <- b2 <- b3 <- b4      runs [a1] [a1 b2] [a1 b2 b3] [a1 b2 b3 b4] point at one node each
 *
 * Nodes never change, so no versions are needed to tell paths apart. Nodes and events are counted: when the last run
 * that can reach an event ends, the event is released.
 */
export class EventEntry {
  /** Order of arrival among the events that were held. */
  readonly seq: number
  readonly ts: number
  /** Live nodes, and 1 while the event is offered. */
  refs: number
  /** Newest node of the event; `sibling` leads to the others. */
  nodes: MatchNode | null = null
  /** Nodes made so far: the next one's `ord`. */
  made = 0
  readonly chunk: Chunk
  /** Neighbours among the events held of the chunk. */
  before: EventEntry | null = null
  after: EventEntry | null = null
  private held: unknown

  constructor(seq: number, ts: number, value: unknown, refs: number, chunk: Chunk) {
    this.chunk = chunk
    this.seq = seq
    this.ts = ts
    this.held = value
    this.refs = refs
  }

  get value(): unknown {
    const { held } = this
    return held instanceof Packed ? this.unpack(held) : held
  }

  /** The value's bytes; those it was read from, as long as nobody looked at it. */
  encoded(codec: EventCodec): Uint8Array {
    const { held } = this
    return held instanceof Packed ? held.bytes : codec.encode(held)
  }

  private unpack({ bytes, codec }: Packed): unknown {
    this.held = codec.decode(bytes)
    return this.held
  }
}

/** How events are stored. */
export interface EventCodec {
  /** The bytes may be used again by the next call. */
  encode(value: unknown): Uint8Array
  decode(bytes: Uint8Array): unknown
}

/** A stored event that nobody looked at yet. */
export class Packed {
  readonly bytes: Uint8Array
  readonly codec: EventCodec

  constructor(bytes: Uint8Array, codec: EventCodec) {
    this.bytes = bytes
    this.codec = codec
  }
}

export class MatchNode {
  readonly pattern: number
  readonly step: number
  readonly event: EventEntry
  readonly prev: MatchNode | null
  /** Events of this step in the path, this one included. */
  readonly n: number
  /** Number of the node among those of its event. */
  readonly ord: number
  readonly sibling: MatchNode | null
  /** Runs, waiting matches and later nodes that point here. */
  refs = 0
  /** What conditions asked of the path up to here, by the numbers that the context gave out. */
  memo: unknown[] | null = null

  constructor(pattern: number, step: number, event: EventEntry, prev: MatchNode | null, n: number, ord: number) {
    this.pattern = pattern
    this.step = step
    this.event = event
    this.prev = prev
    this.n = n
    this.ord = ord
    this.sibling = event.nodes
  }
}

export class EventBuffer {
  nextSeq = 0
  /** How many events are held. */
  held = 0
  /** That of the event that was held last. */
  newest: Chunk | null = null
  /** Chunks with events or runs that came, went or moved since the last look; null if nobody looks. */
  dirty: Chunk[] | null = null

  /** Holds an event until `unpin`, and as long as a node names it. */
  add(value: unknown, ts: number): EventEntry {
    const seq = this.nextSeq++
    let { newest } = this
    if (newest === null || newest.n !== chunkOf(seq)) {
      newest = new Chunk(chunkOf(seq))
      this.newest = newest
    }
    const entry = new EventEntry(seq, ts, value, 1, newest)
    this.hold(entry)
    this.mark(newest)
    return entry
  }

  hold(entry: EventEntry): void {
    const { chunk } = entry
    const { first } = chunk
    entry.after = first
    if (first !== null) first.before = entry
    chunk.first = entry
    this.held++
  }

  mark(chunk: Chunk): void {
    if (chunk.dirty || this.dirty === null) return
    chunk.dirty = true
    this.dirty.push(chunk)
  }

  node(pattern: number, step: number, event: EventEntry, prev: MatchNode | null, ord = event.made++): MatchNode {
    const n = prev === null ? 1 : (lastOf(prev, step)?.n ?? 0) + 1
    const node = new MatchNode(pattern, step, event, prev, n, ord)
    event.nodes = node
    event.refs++
    if (prev !== null) prev.refs++
    return node
  }

  /** One pointer to `node` is gone. */
  release(node: MatchNode): void {
    let at: MatchNode | null = node
    while (at !== null && --at.refs === 0) {
      this.unpin(at.event)
      at = at.prev
    }
  }

  unpin(event: EventEntry): void {
    if (--event.refs > 0) return
    const { before, after, chunk } = event
    if (before === null) chunk.first = after
    else before.after = after
    if (after !== null) after.before = before
    this.held--
    this.mark(chunk)
  }
}

/** A walk this long is remembered at its first node, so that the next one ends there. */
const longWalk = 8

/** The last node of `step` in the path that ends at `node`; null if there is none. */
export function lastOf(node: MatchNode | null, step: number): MatchNode | null {
  let walked = 0
  let found: MatchNode | null = null
  for (let at = node; at !== null; at = at.prev) {
    if (at.step === step) {
      found = at
      break
    }
    const known = at.memo?.[step]
    if (known !== undefined) {
      found = known as MatchNode | null
      break
    }
    walked++
  }
  if (walked > longWalk) {
    const { memo } = node as MatchNode
    if (memo === null) (node as MatchNode).memo = memoWith(step, found)
    else memo[step] = found
  }
  return found
}

export function memoWith(i: number, value: unknown): unknown[] {
  const memo: unknown[] = []
  memo[i] = value
  return memo
}
