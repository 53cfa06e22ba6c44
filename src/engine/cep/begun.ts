/**
 * Partial matches that have just begun. What there is to know of them is their first event and the leaf by which it was
 * decided: all that began alike share the rest, so that an event begins a match without a matcher of its key.
 */
import { type EventBuffer, type EventCodec, EventEntry, type MatchNode } from './buffer.ts'
import { Chunk, firstOf } from './chunk.ts'
import type { Leaf } from './decide.ts'
import type { States } from './matcher-state.ts'
import { stateSet } from './parts.ts'
import type { PatternRuns } from './pattern-runs.ts'
import type { Run } from './run.ts'
import { RowReader, type RowWriter } from './row.ts'

/** What the leaf of a pattern's start makes of an event. */
export interface Beginning {
  /** States that the runs rest in. */
  readonly states: States
  /** The same as bits. */
  readonly bits: number
  /** Runs, in order: state and number of the node. */
  readonly runs: readonly (readonly [state: number, ord: number])[]
  /** Steps that the event is taken for, a node each. */
  readonly steps: readonly number[]
}

const known = new WeakMap<Leaf, { readonly of: Beginning | null }>()

/** @returns null if the event completes a match, too, or does not begin one */
export function beginningOf(leaf: Leaf): Beginning | null {
  let found = known.get(leaf)
  if (found === undefined) {
    found = { of: read(leaf) }
    known.set(leaf, found)
  }
  return found.of
}

function read({ ops }: Leaf): Beginning | null {
  const runs: [number, number][] = []
  const steps: number[] = []
  let bits = 0
  for (const { take, final, target, step } of ops) {
    if (final || !take || target < 0 || target > 30) return null
    if (steps.at(-1) !== step) steps.push(step)
    runs.push([target, steps.length - 1])
    bits |= 1 << target
  }
  return runs.length === 0 ? null : { states: stateSet(bits), bits, runs, steps }
}

/** The row of a chunk with nothing but such runs of the first pattern; the same as a matcher would write. */
export function writeBegun(
  writer: RowWriter,
  { runs, steps }: Beginning,
  seq: number,
  ts: number,
  value: unknown,
  codec: EventCodec,
): RowWriter {
  writer.reset().int(1).int(seq).double(ts).bytes(codec.encode(value)).int(steps.length)
  for (let i = 0; i < steps.length; i++)
    writer
      .int(1)
      .int(steps[i] as number)
      .int(0)
  writer.int(0).int(seq).double(ts).int(runs.length)
  for (let i = 0; i < runs.length; i++) {
    const [state, ord] = runs[i] as readonly [number, number]
    writer.int(state).int(seq).int(ord)
  }
  return writer
}

/** What there is to know of the row of such runs, the event apart. */
export function readBegun(row: Uint8Array): { readonly ts: number; readonly states: States; readonly count: number } {
  const reader = new RowReader(row)
  reader.int()
  reader.int()
  const ts = reader.double()
  reader.bytes()
  for (let left = 3 * reader.int(); left > 0; left--) reader.int()
  reader.int()
  reader.int()
  reader.double()
  const count = reader.int()
  let bits = 0
  for (let left = count; left > 0; left--) {
    bits |= 1 << reader.int()
    reader.int()
    reader.int()
  }
  return { ts, states: stateSet(bits), count }
}

/** First events of a pattern's runs, oldest first, if all of them began as `beginning` says and did nothing since. */
export function allBegun({ runs, steps }: Beginning, { oldest }: PatternRuns): EventEntry[] | null {
  const events: EventEntry[] = []
  for (let family = oldest; family !== null; family = family.after) {
    let n = 0
    for (let run = family.first; run !== null; run = run.after) {
      const [state, ord] = runs[n++] ?? [-1, 0]
      const { tail } = run
      if (run.state !== state || tail.prev !== null || tail.ord !== ord || tail.step !== steps[ord]) return null
    }
    if (n !== runs.length) return null
    events.push((family.first as Run).tail.event)
  }
  return events
}

/** The only event of a chunk. */
export function lonely(buffer: EventBuffer, chunk: number, ts: number, value: unknown): EventEntry {
  const event = new EventEntry(firstOf(chunk), ts, value, 0, new Chunk(chunk))
  buffer.hold(event)
  return event
}

/** Adds such runs to those of a pattern, with an event that is held. */
export function joinBegun({ runs, steps }: Beginning, buffer: EventBuffer, into: PatternRuns, event: EventEntry): void {
  const nodes = steps.map((step) => buffer.node(0, step, event, null))
  const restored = runs.map(([state, ord]) => ({ state, tail: nodes[ord] as MatchNode }))
  into.restore(event.ts, event, restored)
}
