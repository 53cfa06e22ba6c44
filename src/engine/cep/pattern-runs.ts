/**
 * The runs of one pattern for one key. Runs are kept twice: by state, so that an event is decided once for all runs of a
 * state whose conditions do not look at the run, and an event that no run of a state can react to costs one look at the
 * state; and by family, for order, windows and skipping.
 *
 * An event goes through two phases: `plan` asks the conditions and changes nothing, so that a condition that throws
 * leaves the runs as they were; `apply` moves the runs and completes matches.
 */
import type { SkipSpec } from '../../dsl/pattern/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import type { Automaton, RestState } from './automaton.ts'
import type { EventBuffer, EventEntry, MatchNode } from './buffer.ts'
import type { Leaf } from './decide.ts'
import { Queue } from './queue.ts'
import { byPlace, byStart, type Complete, Family, Run } from './run.ts'
import { type SkipFrom, skipFrom } from './skip.ts'
import { decide, wasOwn } from './transition.ts'

export interface RunLimits {
  readonly maxPartials: number
  readonly whenFull: 'dropOldest' | 'dropNewest' | 'fail'
}

/** Gets what comes out. Must not throw. */
export interface RunSink {
  match(pattern: number, complete: Complete, at: number): void
  timeout(pattern: number, tail: MatchNode, at: number): void
  dropped(pattern: number, runs: number): void
}

/** Runs of one state that an event moves: all by one leaf, or each by its own. */
interface Move {
  readonly state: number
  readonly leaf: Leaf | null
  readonly leaves: readonly Leaf[] | null
}

const leafOf = (move: Move, n: number): Leaf => move.leaf ?? ((move.leaves as readonly Leaf[])[n] as Leaf)

interface Timer {
  readonly due: number
  readonly run: Run
}
const byDue = (a: Timer, b: Timer): number => a.due - b.due

export class PatternRuns {
  readonly automaton: Automaton
  readonly waiting: Queue<Complete>
  /** Families by their start, oldest first. */
  oldest: Family | null = null
  count = 0
  /** Families that changed since the last look; null if nobody looks. */
  dirty: Set<number> | null = null
  private newest: Family | null = null
  private readonly pattern: number
  private readonly skip: SkipSpec
  private readonly limits: RunLimits
  private readonly buffer: EventBuffer
  private readonly sink: RunSink
  private readonly lists: (Run[] | undefined)[] = []
  /** States whose list is in use. */
  private readonly active: number[] = []
  private readonly timers: Queue<Timer> | null
  /** The plan for the event at hand. */
  private moves: Move[] | null = null
  private begins: Leaf | null = null

  constructor(
    pattern: number,
    automaton: Automaton,
    skip: SkipSpec,
    limits: RunLimits,
    buffer: EventBuffer,
    sink: RunSink,
  ) {
    this.pattern = pattern
    this.automaton = automaton
    this.skip = skip
    this.limits = limits
    this.buffer = buffer
    this.sink = sink
    this.waiting = new Queue<Complete>(byStart)
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

  /** Ends what is due at `at`, the next due time. */
  fire(at: number): void {
    const ended: Run[] = []
    const { within } = this.automaton
    for (let f = within > 0 ? this.oldest : null; f !== null && f.startTs + within <= at; f = f.after) {
      for (let run = f.first; run !== null; run = run.after) ended.push(run)
    }
    for (let timer = this.timers?.peek(); timer !== undefined && timer.due <= at; timer = this.timers?.peek()) {
      this.timers?.poll()
      const { run } = timer
      if (run.alive && run.due === timer.due && !(within > 0 && run.family.startTs + within <= at)) ended.push(run)
    }
    const complete: Complete[] = []
    const told = new Set(ended.filter((run) => this.stateOf(run).pending).map((run) => run.tail))
    for (const family of new Set(ended.map((run) => run.family))) family.number()
    for (const run of ended) {
      const state = this.stateOf(run)
      if (state.pending) complete.push(this.complete(run.family, run.tail, run.place, 0))
      // Several runs may have taken the same events and wait for different steps: that is one partial match.
      else if (!(state.silent && run.due <= at) && !told.has(run.tail)) {
        told.add(run.tail)
        this.sink.timeout(this.pattern, run.tail, at)
      }
      this.end(run)
    }
    if (complete.length > 1) complete.sort(byPlace)
    this.finish(complete, at)
  }

  /** Decides what the offered event does; nothing changes yet. @returns whether it does anything */
  plan(): boolean {
    const { automaton, active, lists } = this
    const { context, states } = automaton
    this.moves = null
    context.look(null)
    const begins = decide(automaton.start, context)
    this.begins = begins.ops.length > 0 ? begins : null
    for (let i = active.length - 1; i >= 0; i--) {
      const state = active[i] as number
      const list = lists[state] as Run[]
      if (list.length === 0) {
        active[i] = active.at(-1) as number
        active.pop()
        lists[state] = undefined
        continue
      }
      const { root } = states[state] as RestState
      context.look((list[0] as Run).tail)
      const leaf = decide(root, context)
      if (!wasOwn()) {
        if (!leaf.keep) this.move({ state, leaf, leaves: null })
        continue
      }
      let changes = !leaf.keep
      const leaves = [leaf]
      for (let n = 1; n < list.length; n++) {
        context.look((list[n] as Run).tail)
        const own = decide(root, context)
        leaves.push(own)
        if (!own.keep) changes = true
      }
      if (changes) this.move({ state, leaf: null, leaves })
    }
    context.leave()
    if (this.limits.whenFull === 'fail') this.checkRoom()
    return this.moves !== null || this.begins !== null
  }

  /** Does what was planned. @param entry gives the event's entry, made when the first run takes it */
  apply(entry: () => EventEntry, ts: number): void {
    const { moves, begins } = this
    const complete: Complete[] = []
    if (moves !== null) {
      if (this.completing(moves) > 1) this.numberCompleting(moves)
      const lists = moves.map((move) => this.detach(move.state))
      moves.forEach((move, i) => {
        const runs = lists[i] as Run[]
        for (let n = 0; n < runs.length; n++) {
          this.advance(runs[n] as Run, leafOf(move, n), entry, complete)
        }
      })
      this.moves = null
    }
    if (begins !== null) this.begin(begins, entry, complete)
    if (complete.length > 1) complete.sort(byPlace)
    this.finish(complete, ts)
    if (this.count > this.limits.maxPartials) this.makeRoom(ts)
  }

  /** A family with its runs as they were stored. */
  restore(startTs: number, startSeq: number, runs: readonly { state: number; tail: MatchNode }[]): void {
    const family = this.family(startTs, startSeq)
    for (const { state, tail } of runs) this.add(new Run(state, tail, family), null)
  }

  private move(move: Move): void {
    if (this.moves === null) this.moves = [move]
    else this.moves.push(move)
  }

  private detach(state: number): Run[] {
    const runs = this.lists[state] as Run[]
    this.lists[state] = []
    return runs
  }

  /** What `leaf` makes of a run: its first continuation is the run itself, moved on; others come right behind it. */
  private advance(run: Run, leaf: Leaf, entry: () => EventEntry, complete: Complete[]): void {
    const { family, tail, place } = run
    run.slot = -1
    let moved = false
    let behind: Run = run
    let taken: MatchNode | null = null
    const { ops } = leaf
    for (let i = 0; i < ops.length; i++) {
      const op = ops[i] as Leaf['ops'][number]
      let path = tail
      if (op.take) {
        if (taken === null || taken.step !== op.step) taken = this.buffer.node(this.pattern, op.step, entry(), tail)
        path = taken
      }
      if (op.target !== -1) {
        if (!moved) {
          moved = true
          path.refs++
          run.state = op.target
          run.tail = path
          this.enlist(run)
        } else {
          const next = new Run(op.target, path, family)
          this.add(next, behind)
          behind = next
        }
      }
      if (op.final) complete.push(this.complete(family, path, place, i))
    }
    this.touch(family)
    if (!moved) this.drop(run)
    this.buffer.release(tail)
  }

  private begin(leaf: Leaf, entry: () => EventEntry, complete: Complete[]): void {
    let family: Family | null = null
    let node: MatchNode | null = null
    for (let i = 0; i < leaf.ops.length; i++) {
      const op = leaf.ops[i] as Leaf['ops'][number]
      if (!op.take) continue
      const event = entry()
      if (node === null || node.step !== op.step) node = this.buffer.node(this.pattern, op.step, event, null)
      if (op.target !== -1) {
        family ??= this.family(event.ts, event.seq)
        this.add(new Run(op.target, node, family), null)
      }
      if (op.final) {
        node.refs++
        complete.push({ startTs: event.ts, startSeq: event.seq, tail: node, place: i, branch: 0 })
      }
    }
  }

  private complete(family: Family, tail: MatchNode, place: number, branch: number): Complete {
    tail.refs++
    return { startTs: family.startTs, startSeq: family.startSeq, tail, place, branch }
  }

  /** Gives matches away as the skip strategy says. */
  private finish(complete: readonly Complete[], at: number): void {
    if (this.skip.kind === 'none') {
      for (const match of complete) this.give(match, at)
      return
    }
    const { waiting } = this
    if (complete.length > 0) {
      // Flink collects the matches of an event in a queue of their own first, which fixes the order of equal ones.
      const fresh = new Queue<Complete>(byStart)
      for (const match of complete) fresh.add(match)
      for (const match of fresh.items) waiting.add(match)
    }
    for (let match = waiting.peek(); match !== undefined; match = waiting.peek()) {
      if (this.oldest !== null && byStart(match, this.oldest) > 0) break
      waiting.poll()
      const from = this.skipOf(match)
      if (from !== null) {
        this.dropBefore(from.ts, from.seq)
        waiting.removeIf((other) => {
          const gone = other.startTs < from.ts || (other.startTs === from.ts && other.startSeq < from.seq)
          if (gone) this.buffer.release(other.tail)
          return gone
        })
      }
      this.give(match, at)
    }
  }

  private skipOf(match: Complete): SkipFrom | null {
    try {
      return skipFrom(this.skip, match, this.automaton.names)
    } catch (e) {
      this.buffer.release(match.tail)
      throw e
    }
  }

  private give(match: Complete, at: number): void {
    this.sink.match(this.pattern, match, at)
    this.buffer.release(match.tail)
  }

  private dropBefore(ts: number, seq: number): void {
    for (let f = this.oldest; f !== null; f = f.after) {
      if (f.startTs > ts || (f.startTs === ts && f.startSeq >= seq)) break
      for (let run = f.first; run !== null; run = run.after) this.end(run)
    }
  }

  private stateOf(run: Run): RestState {
    return this.automaton.states[run.state] as RestState
  }

  /** A family in its place; nearly always the last. */
  private family(startTs: number, startSeq: number): Family {
    const family = new Family(startTs, startSeq)
    let before = this.newest
    while (before !== null && byStart(before, family) > 0) before = before.before
    const after = before === null ? this.oldest : before.after
    family.before = before
    family.after = after
    if (before === null) this.oldest = family
    else before.after = family
    if (after === null) this.newest = family
    else after.before = family
    return family
  }

  private add(run: Run, behind: Run | null): void {
    run.tail.refs++
    run.family.insert(run, behind)
    this.count++
    this.touch(run.family)
    this.enlist(run)
  }

  private enlist(run: Run): void {
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
  private end(run: Run): void {
    const { tail } = run
    this.touch(run.family)
    this.drop(run)
    this.buffer.release(tail)
  }

  private drop(run: Run): void {
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

  private forget(family: Family): void {
    if (family.before === null) this.oldest = family.after
    else family.before.after = family.after
    if (family.after === null) this.newest = family.before
    else family.after.before = family.before
  }

  private touch(family: Family): void {
    this.dirty?.add(family.startSeq)
  }

  private completing(moves: readonly Move[]): number {
    let n = 0
    for (const { state, leaf, leaves } of moves) {
      if (leaf !== null) n += leaf.completes ? (this.lists[state] as Run[]).length : 0
      else n += (leaves as readonly Leaf[]).filter((l) => l.completes).length
    }
    return n
  }

  /** Numbers the runs of families that complete matches, whose order is that of the runs. */
  private numberCompleting(moves: readonly Move[]): void {
    const families = new Set<Family>()
    for (const move of moves) {
      const list = this.lists[move.state] as Run[]
      for (let n = 0; n < list.length; n++) {
        if (leafOf(move, n).completes) families.add((list[n] as Run).family)
      }
    }
    for (const family of families) family.number()
  }

  private checkRoom(): void {
    let { count } = this
    const { maxPartials } = this.limits
    const rests = (leaf: Leaf): number => leaf.ops.filter((op) => op.target !== -1).length
    for (const { state, leaf, leaves } of this.moves ?? []) {
      if (leaf !== null) count += (rests(leaf) - 1) * (this.lists[state] as Run[]).length
      else for (const own of leaves as readonly Leaf[]) count += rests(own) - 1
    }
    if (this.begins !== null) count += this.begins.ops.filter((op) => op.take && op.target !== -1).length
    if (count <= maxPartials) return
    const cure = "raise maxPartials, add within(…), or say whenFull: 'dropOldest' or 'dropNewest'"
    throw new DhaaraError(
      'DHAARA_PATTERN_FULL',
      `An event would make ${count} partial matches; maxPartials allows ${maxPartials}; ${cure}`,
    )
  }

  private makeRoom(at: number): void {
    const { maxPartials, whenFull } = this.limits
    const excess = this.count - maxPartials
    for (let n = 0; n < excess; n++) {
      const run = whenFull === 'dropOldest' ? this.oldest?.first : this.newest?.last
      this.end(run as Run)
    }
    this.sink.dropped(this.pattern, excess)
    if (this.waiting.size > 0) this.finish([], at)
  }
}
