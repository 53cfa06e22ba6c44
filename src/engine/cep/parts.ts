import type { MatchNode } from './buffer.ts'
import { type Chunk, chunkOf } from './chunk.ts'
import type { States } from './matcher-state.ts'
import type { PatternRuns } from './pattern-runs.ts'
import type { Family } from './run.ts'

/**
 * Part of a matcher's state that nothing connects with the rest: no run of it has an event in another part. It can be out
 * of memory while others are in it.
 */
export interface Part {
  readonly chunks: readonly number[]
  /** When time must be moved for it; Infinity: never. */
  readonly due: number
  /** Partial matches. */
  readonly count: number
  /** By pattern: states that they rest in. */
  readonly states: States
}

/** Runs that began with one event and lie in one chunk, as all that are connected with them do; states of the whole chunk. */
export type TakeFamily = (chunk: number, states: States, due: number, count: number) => void

/**
 * Gives the runs of one pattern family by family, oldest first, if no run has events in two chunks; else gives none.
 * @returns whether it did
 */
export function familiesApart({ automaton, oldest }: PatternRuns, take: TakeFamily): boolean {
  if (automaton.timed) return false
  for (let f = oldest; f !== null; f = f.after) {
    for (let run = f.first; run !== null; run = run.after)
      for (let node: MatchNode | null = run.tail; node !== null; node = node.prev)
        if (node.event.chunk !== f.chunk) return false
  }
  for (let f = oldest; f !== null; f = f.after) {
    const due = automaton.within > 0 ? f.startTs + automaton.within : Number.POSITIVE_INFINITY
    let count = 0
    for (let run = f.first; run !== null; run = run.after) count++
    take(f.chunk.n, stateSet(bitsOf(f.chunk)), due, count)
  }
  return true
}

/** States that runs of a chunk rest in. */
function bitsOf({ families }: Chunk): number {
  let bits = 0
  for (let i = 0; i < families.length; i++)
    for (let run = (families[i] as Family).first; run !== null; run = run.after) bits |= 1 << run.state
  return bits
}

const byBits = new Map<number, States>()

/** The states of one pattern that these bits name, the same object for the same bits. */
export function stateSet(bits: number): States {
  let found = byBits.get(bits)
  if (found === undefined) {
    const states: number[] = []
    for (let i = 0; i < 31; i++) if ((bits & (1 << i)) !== 0) states.push(i)
    found = [states]
    byBits.set(bits, found)
  }
  return found
}

interface Sum {
  due: number
  count: number
  readonly states: Set<number>[]
}

/** The parts of all runs, by their first chunk. A run connects the chunks in which its events lie. */
export function partsOf(runs: readonly PatternRuns[]): Part[] {
  const parents = new Map<number, number>()
  const rootOf = (chunk: number): number => {
    let at = chunk
    for (let up = parents.get(at); up !== undefined && up !== at; up = parents.get(at)) at = up
    return at
  }
  const seen = new Set<MatchNode>()
  for (const { oldest } of runs) {
    for (let f = oldest; f !== null; f = f.after) {
      const own = chunkOf(f.startSeq)
      if (!parents.has(own)) parents.set(own, own)
      for (let run = f.first; run !== null; run = run.after) {
        for (let node: MatchNode | null = run.tail; node !== null; node = node.prev) {
          const chunk = chunkOf(node.event.seq)
          if (!parents.has(chunk)) parents.set(chunk, chunk)
          parents.set(rootOf(chunk), rootOf(own))
          // what lies before a node is connected with it already
          if (node.prev !== null && seen.has(node)) break
          if (node.prev !== null) seen.add(node)
        }
      }
    }
  }
  const sums = new Map<number, Sum>()
  for (const [pattern, own] of runs.entries()) addRuns(runs.length, pattern, own, (seq) => rootOf(chunkOf(seq)), sums)
  const chunks = new Map<number, number[]>()
  for (const chunk of [...parents.keys()].sort((a, b) => a - b)) {
    const list = chunks.get(rootOf(chunk))
    if (list === undefined) chunks.set(rootOf(chunk), [chunk])
    else list.push(chunk)
  }
  return Array.from(chunks, ([root, list]) => {
    const { due, count, states } = sums.get(root) as Sum
    return { chunks: list, due, count, states: shared(states.map((set) => [...set].sort((a, b) => a - b))) }
  })
}

function addRuns(
  patterns: number,
  pattern: number,
  { automaton, oldest }: PatternRuns,
  rootOf: (seq: number) => number,
  sums: Map<number, Sum>,
): void {
  const { within } = automaton
  for (let f = oldest; f !== null; f = f.after) {
    const root = rootOf(f.startSeq)
    let sum = sums.get(root)
    if (sum === undefined) {
      sum = { due: Number.POSITIVE_INFINITY, count: 0, states: Array.from({ length: patterns }, () => new Set()) }
      sums.set(root, sum)
    }
    if (within > 0) sum.due = Math.min(sum.due, f.startTs + within)
    for (let run = f.first; run !== null; run = run.after) {
      sum.count++
      sum.due = Math.min(sum.due, run.due)
      sum.states[pattern]?.add(run.state)
    }
  }
}

/** There are few sets of states and many parts. */
const known = new Map<string, States>()

function shared(states: States): States {
  const text = JSON.stringify(states)
  const found = known.get(text)
  if (found !== undefined) return found
  if (known.size > 10_000) known.clear()
  known.set(text, states)
  return states
}
