import type { Automaton, RestState } from './automaton.ts'
import type { EventBuffer, EventEntry, MatchNode } from './buffer.ts'
import { FamilyList } from './family-list.ts'
import { Queue } from './queue.ts'
import { type Family, Run } from './run.ts'

interface Timer {
  readonly due: number
  readonly run: Run
}
const byDue = (a: Timer, b: Timer): number => a.due - b.due

/**
 * The live runs of one pattern for one key, kept twice: by state, so that an event is decided once for all runs of a
 * state; and by family, for order, windows and skipping. Timers are those of states with a window of their own.
 */
export class RunStore extends FamilyList {
  readonly automaton: Automaton
  count = 0
  protected readonly buffer: EventBuffer
  protected readonly timers: Queue<Timer> | null
  protected readonly lists: (Run[] | undefined)[] = []
  /** States whose list is in use. */
  protected readonly active: number[] = []

  constructor(pattern: number, automaton: Automaton, buffer: EventBuffer) {
    super(pattern)
    this.automaton = automaton
    this.buffer = buffer
    this.timers = automaton.timed ? new Queue<Timer>(byDue) : null
  }

  /** The next time at which something ends; Infinity: never. */
  nextDue(): number {
    const { within } = this.automaton
    const whole = within > 0 && this.oldest !== null ? this.oldest.startTs + within : Number.POSITIVE_INFINITY
    if (this.timers === null) return whole
    for (let timer = this.timers.peek(); timer !== undefined; timer = this.timers.peek()) {
      if (timer.run.alive && timer.run.due === timer.due) return Math.min(whole, timer.due)
      this.timers.poll()
    }
    return whole
  }

  /** States that runs rest in. */
  get resting(): number[] {
    return this.active.filter((state) => (this.lists[state] as Run[]).length > 0)
  }

  /** The same as bits, for those below 31; with some that nothing rests in any more. */
  get restingBits(): number {
    let bits = 0
    for (let i = 0; i < this.active.length; i++) bits |= 1 << (this.active[i] as number)
    return bits
  }

  /** A family with its runs as they were stored. */
  restore(startTs: number, start: EventEntry, runs: readonly { state: number; tail: MatchNode }[]): void {
    const family = this.family(startTs, start.seq, start.chunk)
    for (const { state, tail } of runs) this.add(new Run(state, tail, family), null)
  }

  protected add(run: Run, behind: Run | null): void {
    run.tail.refs++
    run.family.insert(run, behind)
    this.count++
    this.touch(run.family)
    this.enlist(run)
  }

  protected enlist(run: Run): void {
    const { state } = run
    let list = this.lists[state]
    if (list === undefined) {
      list = []
      this.lists[state] = list
      this.active.push(state)
    }
    run.slot = list.length
    list.push(run)
    if (this.timers !== null) {
      const { window } = this.stateOf(run)
      const due = window > 0 ? run.tail.event.ts + window : Number.POSITIVE_INFINITY
      if (due !== run.due) {
        run.due = due
        if (window > 0) this.timers.add({ due, run })
      }
    }
  }

  /** Ends a run that is in the list of its state. */
  protected end(run: Run): void {
    const { tail } = run
    this.touch(run.family)
    this.drop(run)
    this.buffer.release(tail)
  }

  protected drop(run: Run): void {
    const { family, slot } = run
    if (slot !== -1) {
      const list = this.lists[run.state] as Run[]
      const last = list.pop() as Run
      if (last !== run) {
        list[slot] = last
        last.slot = slot
      }
    }
    run.alive = false
    this.count--
    family.remove(run)
    if (family.first === null) this.forget(family)
  }

  /** Ends all runs. */
  clear(): void {
    this.dropBefore(Number.POSITIVE_INFINITY, 0)
  }

  protected dropBefore(ts: number, seq: number): void {
    for (let f = this.oldest; f !== null; f = f.after) {
      if (f.startTs > ts || (f.startTs === ts && f.startSeq >= seq)) break
      for (let run = f.first; run !== null; run = run.after) this.end(run)
    }
  }

  protected detach(state: number): Run[] {
    const runs = this.lists[state] as Run[]
    this.lists[state] = []
    return runs
  }

  protected stateOf(run: Run): RestState {
    return this.automaton.states[run.state] as RestState
  }

  protected touch(family: Family): void {
    this.buffer.mark(family.chunk)
  }
}
