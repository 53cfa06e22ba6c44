import type { RunContext } from '../../dsl/pattern/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import { lastOf, type MatchNode, memoWith } from './buffer.ts'
import { isClosed } from './closed.ts'
import type { TimedContext } from './conditions.ts'

type SumOf = (event: never) => number
/** What a condition throws that looks at a run that is not at hand. */
export const unseen = new Error('the run is not at hand')
const nothing: readonly unknown[] = Object.freeze([])

/**
 * What conditions see of a run. One object serves all runs of an automaton: `look` points it at a run, and every answer
 * that depends on the run sets `looked`, by which the matcher knows that another run may get another answer.
 * Methods are properties, so that `({ count }) => …` works.
 */
export class Context implements RunContext, TimedContext {
  timestamp = 0
  looked = false
  private blind = false
  private tail: MatchNode | null = null
  /** Numbers of the steps; -1 for those that must not match. */
  private readonly steps: ReadonlyMap<string, number>
  private memos: number
  /** Memo numbers of sums, by step and then by the function or, for lambdas, its text. */
  private readonly sums: Map<unknown, number>[]
  private readonly seen = new WeakSet<SumOf>()
  private listedAt: MatchNode | null = null
  private listed: readonly unknown[] = nothing

  /**
   * @param names of the steps that take events, by number
   * @param nots of those that must not match
   */
  constructor(names: readonly string[], nots: readonly string[]) {
    this.steps = new Map([...nots.map((name) => [name, -1] as const), ...names.map((name, i) => [name, i] as const)])
    this.sums = names.map(() => new Map())
    this.memos = names.length
  }

  look(tail: MatchNode | null): void {
    this.tail = tail
    this.looked = false
    this.blind = false
  }

  /** For a run that is not at hand: whoever looks at it throws `unseen`. */
  hide(): void {
    this.tail = null
    this.looked = false
    this.blind = true
  }

  /** Drops what was looked at, so that it can be collected. */
  leave(): void {
    this.tail = null
    this.blind = false
    this.listedAt = null
    this.listed = nothing
  }

  readonly eventsFor = (name: string): readonly unknown[] => {
    const last = this.last_(name)
    if (last === null) return nothing
    if (last !== this.listedAt) {
      this.listed = eventsTo(last)
      this.listedAt = last
    }
    return this.listed
  }

  readonly count = (name: string): number => this.last_(name)?.n ?? 0

  readonly last = (name: string): unknown => this.last_(name)?.event.value

  readonly sum = (name: string, of: SumOf): number => {
    const step = this.step(name)
    this.see()
    const { tail } = this
    if (tail === null || step === -1) return 0
    const memo = this.sumNumber(step, of)
    const open: MatchNode[] = []
    let sum = 0
    for (let at = lastOf(tail, step); at !== null; at = lastOf(at.prev, step)) {
      const known = memo === -1 ? undefined : at.memo?.[memo]
      if (known !== undefined) {
        sum = known as number
        break
      }
      open.push(at)
    }
    // Oldest first: the sum of floats is then the same, whatever was remembered.
    for (let i = open.length - 1; i >= 0; i--) {
      const node = open[i] as MatchNode
      sum += of(node.event.value as never)
      if (memo === -1) continue
      if (node.memo === null) node.memo = memoWith(memo, sum)
      else node.memo[memo] = sum
    }
    return sum
  }

  readonly sincePrevious = (): number => {
    this.see()
    return this.tail === null ? Number.NEGATIVE_INFINITY : this.timestamp - this.tail.event.ts
  }

  private see(): void {
    this.looked = true
    if (this.blind) throw unseen
  }

  private readonly last_ = (name: string): MatchNode | null => {
    const step = this.step(name)
    this.see()
    return lastOf(this.tail, step)
  }

  private step(name: string): number {
    const step = this.steps.get(name)
    if (step !== undefined) return step
    const known = [...this.steps.keys()].join(', ')
    throw new DhaaraError(
      'DHAARA_OPTION',
      `A condition asks for step ${JSON.stringify(name)}; the pattern has ${known}`,
    )
  }

  /** A sum is kept if `of` is known to be the same function: seen before, or a lambda that uses its event alone. */
  private sumNumber(step: number, of: SumOf): number {
    const numbers = this.sums[step] as Map<unknown, number>
    const known = numbers.get(of)
    if (known !== undefined) return known
    const text = of.toString()
    const closed = isClosed(text)
    if (!closed && !this.seen.has(of)) {
      this.seen.add(of)
      return -1
    }
    const key = closed ? text : of
    const number = numbers.get(key) ?? this.memos++
    numbers.set(key, number)
    return number
  }
}

/** The events of the last node's step, oldest first. */
function eventsTo(last: MatchNode): readonly unknown[] {
  const events = new Array<unknown>(last.n)
  let i = last.n
  for (let at: MatchNode | null = last; at !== null && i > 0; at = lastOf(at.prev, last.step)) {
    events[--i] = at.event.value
  }
  return events
}
