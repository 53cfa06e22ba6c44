/**
 * The automata of one key: several patterns over one buffer of events.
 *
 * State in parts, each a row of plain data, so that an operator can store what changed and nothing else:
 *
 * | part | row | changes |
 * | --- | --- | --- |
 * | `i` | `[nextSeq, waiting]`, waiting: per pattern `[startTs, startSeq, seq, ord][]` | with any other part |
 * | `e<seq>` | `[ts, value, nodes]`, nodes: `[pattern, step, prevSeq, prevOrd]` or null by ord, prevSeq -1 for none | never: it comes and goes |
 * | `r<pattern>:<startSeq>` | `[startTs, state, seq, ord, state, seq, ord, …]` | when a run of that start moves |
 *
 * `(seq, ord)` names a node: an event and the how-manyth node it got. Numbers of states and steps follow from the pattern,
 * so they hold as long as `shapeOf(spec)` does. Time is not part of the state: timers follow from the rows.
 */
import { DhaaraError } from '../../errors/index.ts'
import type { Automaton } from './automaton.ts'
import { EventBuffer, type EventEntry, type MatchNode } from './buffer.ts'
import { PatternRuns, type RunOwner, type RunPlan } from './pattern-runs.ts'
import type { Complete } from './run.ts'
import { offerEvent } from './transition.ts'

export interface MatcherPlan extends RunPlan {
  readonly automata: readonly Automaton[]
  readonly timeouts: boolean
}

/** What came out. Called while the matcher works: must not throw and must not call it. */
export interface MatchSink {
  /** @param at when it is given: time of the event that completed it, or of the timer */
  onMatch(pattern: number, match: MatchRecord, start: number, end: number, at: number): void
  onTimeout(pattern: number, partial: MatchRecord, at: number): void
  /** Partial matches that `maxPartials` cost. */
  onDropped?(pattern: number, runs: number): void
}

export type MatchRecord = Record<string, unknown[]>
export type PartRow = readonly unknown[]
type NodeRow = readonly [pattern: number, step: number, prevSeq: number, prevOrd: number]

export class KeyedMatcher implements RunOwner {
  private readonly plan: MatcherPlan
  private readonly out: MatchSink
  private readonly buffer = new EventBuffer()
  private readonly runs: PatternRuns[] = []
  private due = Number.POSITIVE_INFINITY
  /** The event at hand. */
  private value: unknown
  private ts = 0
  private held: EventEntry | null = null

  constructor(plan: MatcherPlan, out: MatchSink) {
    this.plan = plan
    this.out = out
    const { automata } = plan
    for (let i = 0; i < automata.length; i++) {
      this.runs.push(new PatternRuns(i, automata[i] as Automaton, plan, this.buffer, this))
    }
  }

  /** Partial matches alive, of all patterns. */
  get livePartials(): number {
    return this.runs.reduce((sum, runs) => sum + runs.count, 0)
  }

  /** Events held. */
  get retainedEvents(): number {
    return this.buffer.held
  }

  /** Nothing is held and nothing is waiting: the matcher can be thrown away. */
  get idle(): boolean {
    return this.buffer.held === 0
  }

  /** When time must be moved next; Infinity: never. */
  nextDue(): number {
    return this.due
  }

  /** Ends what is due at or before `t`, one due time after the other. */
  advance(t: number): void {
    // t is infinite at the end of the input.
    while (this.due <= t && this.due < Number.POSITIVE_INFINITY) {
      const { due } = this
      for (const runs of this.runs) if (runs.nextDue() === due) runs.fire(due)
      this.findDue()
    }
  }

  /** Moves time to `t`, then offers the event. If a condition throws, the event has changed nothing. */
  process(value: unknown, t: number): void {
    if (this.due <= t) this.advance(t)
    this.offer(value, t)
  }

  /** Offers an event without moving time. */
  offer(value: unknown, t: number): void {
    const { runs } = this
    offerEvent(value)
    let changes = false
    for (let i = 0; i < runs.length; i++) if ((runs[i] as PatternRuns).plan(t)) changes = true
    if (!changes) return
    this.value = value
    this.ts = t
    try {
      for (let i = 0; i < runs.length; i++) (runs[i] as PatternRuns).apply(t)
    } finally {
      if (this.held !== null) this.buffer.unpin(this.held)
      this.held = null
      this.value = undefined
      this.findDue()
    }
  }

  /** For the runs: the event at hand, once it is held. */
  entry(): EventEntry {
    this.held ??= this.buffer.add(this.value, this.ts)
    return this.held
  }

  /** For the runs. */
  match(pattern: number, match: Complete, at: number): void {
    this.out.onMatch(pattern, this.materialise(pattern, match.tail), match.startTs, match.tail.event.ts, at)
  }

  /** For the runs. */
  timeout(pattern: number, tail: MatchNode, at: number): void {
    if (this.plan.timeouts) this.out.onTimeout(pattern, this.materialise(pattern, tail), at)
  }

  /** For the runs. */
  dropped(pattern: number, runs: number): void {
    this.out.onDropped?.(pattern, runs)
  }

  /** Begins to note which parts change. */
  track(): void {
    this.buffer.dirty ??= new Map()
    for (const runs of this.runs) runs.dirty ??= new Set()
  }

  /** Parts that changed since the last call, or since `track`; undefined for those that are gone. */
  takeDirty(): Map<string, PartRow | undefined> {
    const parts = new Map<string, PartRow | undefined>()
    for (const [seq, entry] of this.buffer.dirty ?? [])
      parts.set(`e${seq}`, entry.refs === 0 ? undefined : eventRow(entry))
    this.buffer.dirty?.clear()
    for (const [i, runs] of this.runs.entries()) {
      const { dirty } = runs
      if (dirty === null || dirty.size === 0) continue
      const gone = new Set(dirty)
      for (let f = runs.oldest; f !== null; f = f.after) {
        if (gone.delete(f.startSeq)) parts.set(`r${i}:${f.startSeq}`, familyRow(f))
      }
      for (const seq of gone) parts.set(`r${i}:${seq}`, undefined)
      dirty.clear()
    }
    if (parts.size > 0) parts.set('i', this.index())
    return parts
  }

  /** All parts. */
  parts(): Map<string, PartRow> {
    const parts = new Map<string, PartRow>([['i', this.index()]])
    const addPath = (tail: MatchNode): void => {
      for (let at: MatchNode | null = tail; at !== null; at = at.prev) {
        const name = `e${at.event.seq}`
        if (!parts.has(name)) parts.set(name, eventRow(at.event))
      }
    }
    for (const [i, runs] of this.runs.entries()) {
      for (let f = runs.oldest; f !== null; f = f.after) {
        parts.set(`r${i}:${f.startSeq}`, familyRow(f))
        for (let run = f.first; run !== null; run = run.after) addPath(run.tail)
      }
      for (const { tail } of runs.waiting?.items ?? []) addPath(tail)
    }
    return parts
  }

  /** Takes the state that `parts` describe; only into a matcher that saw no event. @throws DhaaraError DHAARA_STATE_CORRUPT */
  load(parts: Iterable<readonly [string, PartRow]>): void {
    const rows = new Map(parts)
    const [nextSeq, waiting] = need(rows.get('i'), 'i') as [number, number[][][]]
    const events = new Map<number, PartRow>()
    const families: [pattern: number, startSeq: number, row: number[]][] = []
    for (const [name, row] of rows) {
      if (name[0] === 'e') events.set(Number(name.slice(1)), row)
      else if (name[0] === 'r') {
        const [pattern, startSeq] = name.slice(1).split(':').map(Number) as [number, number]
        families.push([pattern, startSeq, row as number[]])
      }
    }
    const node = this.nodes(events)
    families.sort((a, b) => a[1] - b[1])
    for (const [pattern, startSeq, row] of families) {
      const runs = []
      for (let i = 1; i < row.length; i += 3) {
        runs.push({ state: row[i] as number, tail: node(row[i + 1] as number, row[i + 2] as number) })
      }
      need(this.runs[pattern], `r${pattern}`).restore(row[0] as number, startSeq, runs)
    }
    for (const [pattern, matches] of waiting.entries()) {
      for (const [startTs, startSeq, seq, ord] of matches as [number, number, number, number][]) {
        const tail = node(seq, ord)
        tail.refs++
        this.runs[pattern]?.waiting?.items.push({ startTs, startSeq, tail, place: 0, branch: 0 })
      }
    }
    this.buffer.nextSeq = nextSeq
    this.buffer.dirty?.clear()
    for (const runs of this.runs) runs.dirty?.clear()
    this.findDue()
  }

  /** Makes the nodes of stored events again, as far as something points at them. */
  private nodes(events: ReadonlyMap<number, PartRow>): (seq: number, ord: number) => MatchNode {
    const made = new Map<string, MatchNode>()
    const entries = new Map<number, EventEntry>()
    const entryOf = (seq: number, [ts, value, nodes]: PartRow): EventEntry => {
      let entry = entries.get(seq)
      if (entry === undefined) {
        entry = { seq, ts: ts as number, value, refs: 0, nodes: null, made: (nodes as unknown[]).length }
        entries.set(seq, entry)
        this.buffer.held++
      }
      return entry
    }
    const rowOf = (seq: number, ord: number): NodeRow => {
      const nodes = need(events.get(seq), `e${seq}`)[2] as readonly (NodeRow | null)[]
      return need(nodes[ord] ?? undefined, `e${seq}`)
    }
    return (seq, ord) => {
      const path: [seq: number, ord: number][] = []
      for (let at: [number, number] = [seq, ord]; at[0] !== -1 && !made.has(at.join()); ) {
        path.push(at)
        const [, , prevSeq, prevOrd] = rowOf(...at)
        at = [prevSeq, prevOrd]
      }
      for (const [s, o] of path.reverse()) {
        const [pattern, step, prevSeq, prevOrd] = rowOf(s, o)
        const prev = prevSeq === -1 ? null : (made.get(`${prevSeq},${prevOrd}`) as MatchNode)
        made.set(`${s},${o}`, this.buffer.node(pattern, step, entryOf(s, events.get(s) as PartRow), prev, o))
      }
      return made.get(`${seq},${ord}`) as MatchNode
    }
  }

  private findDue(): void {
    let due = Number.POSITIVE_INFINITY
    const { runs } = this
    for (let i = 0; i < runs.length; i++) due = Math.min(due, (runs[i] as PatternRuns).nextDue())
    this.due = due
  }

  private index(): PartRow {
    const row = ({ startTs, startSeq, tail }: Complete) => [startTs, startSeq, tail.event.seq, tail.ord]
    return [this.buffer.nextSeq, this.runs.map((runs) => (runs.waiting?.items ?? []).map(row))]
  }

  /** The events of a path by name, in the pattern's order. */
  private materialise(pattern: number, tail: MatchNode): MatchRecord {
    const { names } = this.plan.automata[pattern] as Automaton
    const lists: unknown[][] = []
    for (let at: MatchNode | null = tail; at !== null; at = at.prev) {
      const list = (lists[at.step] ??= new Array<unknown>(at.n))
      list[at.n - 1] = at.event.value
    }
    const match: MatchRecord = {}
    for (let i = 0; i < lists.length; i++) {
      const list = lists[i]
      if (list !== undefined) match[names[i] as string] = list
    }
    return match
  }
}

function eventRow(entry: EventEntry): PartRow {
  // What nothing points at any more is left out.
  const nodes: (NodeRow | null)[] = new Array<null>(entry.made).fill(null)
  for (let node = entry.nodes; node !== null; node = node.sibling) {
    const { pattern, step, prev } = node
    if (node.refs > 0)
      nodes[node.ord] = [pattern, step, prev === null ? -1 : prev.event.seq, prev === null ? -1 : prev.ord]
  }
  return [entry.ts, entry.value, nodes]
}

function familyRow(family: NonNullable<PatternRuns['oldest']>): PartRow {
  const row = [family.startTs]
  for (let run = family.first; run !== null; run = run.after) row.push(run.state, run.tail.event.seq, run.tail.ord)
  return row
}

function need<V>(found: V | undefined, part: string): V {
  if (found !== undefined) return found
  throw new DhaaraError(
    'DHAARA_STATE_CORRUPT',
    `Part ${part} of a matcher's state is missing; restore all parts of one snapshot`,
  )
}
