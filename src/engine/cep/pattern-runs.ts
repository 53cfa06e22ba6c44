/**
 * What events and time do to the runs of one pattern for one key. A state whose conditions do not look at the run is
 * decided once for all its runs; an event that none of them can react to costs that one look.
 *
 * An event goes through two phases: `plan` asks the conditions and changes nothing, so that a condition that throws
 * leaves the runs as they were; `apply` moves the runs and completes matches.
 */
import { DhaaraError } from '../../errors/index.ts'
import type { Automaton, RestState } from './automaton.ts'
import type { EventBuffer, MatchNode } from './buffer.ts'
import { CompleteRuns, type RunOwner, type RunPlan } from './complete-runs.ts'
import type { Leaf } from './decide.ts'
import { byPlace, byStart, type Complete, type Family, Run } from './run.ts'
import { decide, wasOwn } from './transition.ts'

/** Runs of one state that an event moves: all by one leaf, or each by its own. */
interface Move {
  readonly state: number
  readonly leaf: Leaf | null
  readonly leaves: readonly Leaf[] | null
}

const leafOf = (move: Move, n: number): Leaf => move.leaf ?? ((move.leaves as readonly Leaf[])[n] as Leaf)

export class PatternRuns extends CompleteRuns {
  /** Too many partial matches are an error. */
  private readonly checks: boolean
  /** The plan for the event at hand. */
  private moves: Move[] | null = null
  private begins: Leaf | null = null

  constructor(pattern: number, automaton: Automaton, plan: RunPlan, buffer: EventBuffer, owner: RunOwner) {
    super(pattern, automaton, plan, buffer, owner)
    this.checks = plan.limits.whenFull === 'fail' && plan.limits.maxPartials < Number.POSITIVE_INFINITY
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
      if (!run.alive || run.due !== timer.due || (within > 0 && run.family.startTs + within <= at)) continue
      // One that left its state and came back has two timers of one time.
      run.due = Number.NEGATIVE_INFINITY
      ended.push(run)
    }
    const complete: Complete[] = []
    // Several runs may have taken the same events and wait for different steps: that is one partial match.
    const told = ended.length === 1 ? null : new Set<MatchNode>()
    if (told !== null) {
      for (const family of new Set(ended.map((run) => run.family))) family.number()
      // Timers of one time come in an order that depends on what was there before.
      ended.sort((a, b) => byStart(a.family, b.family) || a.place - b.place)
      for (const run of ended) if (this.stateOf(run).pending) told.add(run.tail)
    }
    for (let i = 0; i < ended.length; i++) {
      const run = ended[i] as Run
      const state = this.stateOf(run)
      if (state.pending) complete.push(this.complete(run.family, run.tail, run.place, 0))
      else if (!(state.silent && run.due <= at) && (told === null || !told.has(run.tail))) {
        told?.add(run.tail)
        this.owner.timeout(this.pattern, run.tail, at)
      }
      this.end(run)
    }
    if (complete.length > 1) complete.sort(byPlace)
    this.finish(complete, at)
  }

  /** Decides what the offered event at `ts` does; nothing changes yet. @returns whether it does anything */
  plan(ts: number): boolean {
    const { automaton, active, lists } = this
    const { context, states } = automaton
    this.moves = null
    context.timestamp = ts
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
    if (this.checks) this.checkRoom()
    return this.moves !== null || this.begins !== null
  }

  /** Does what was planned. @param ts time of the event */
  apply(ts: number): void {
    const { moves, begins } = this
    const complete: Complete[] = []
    if (moves !== null) {
      if (this.completing(moves) > 1) this.numberCompleting(moves)
      const lists: Run[][] = []
      for (let i = 0; i < moves.length; i++) lists.push(this.detach((moves[i] as Move).state))
      for (let i = 0; i < moves.length; i++) {
        const move = moves[i] as Move
        const runs = lists[i] as Run[]
        for (let n = 0; n < runs.length; n++) this.advance(runs[n] as Run, leafOf(move, n), complete)
      }
      this.moves = null
    }
    if (begins !== null) this.begin(begins, complete)
    if (complete.length > 1) complete.sort(byPlace)
    this.finish(complete, ts)
    if (this.count > this.setup.limits.maxPartials) this.makeRoom(ts)
  }

  private move(move: Move): void {
    if (this.moves === null) this.moves = [move]
    else this.moves.push(move)
  }

  /** What `leaf` makes of a run: its first continuation is the run itself, moved on; others come right behind it. */
  private advance(run: Run, leaf: Leaf, complete: Complete[]): void {
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
        if (taken === null || taken.step !== op.step)
          taken = this.buffer.node(this.pattern, op.step, this.owner.entry(), tail)
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

  private begin(leaf: Leaf, complete: Complete[]): void {
    let family: Family | null = null
    let node: MatchNode | null = null
    for (let i = 0; i < leaf.ops.length; i++) {
      const op = leaf.ops[i] as Leaf['ops'][number]
      if (!op.take) continue
      const event = this.owner.entry()
      if (node === null || node.step !== op.step) node = this.buffer.node(this.pattern, op.step, event, null)
      if (op.target !== -1) {
        family ??= this.family(event.ts, event.seq, event.chunk)
        this.add(new Run(op.target, node, family), null)
      }
      if (op.final) {
        node.refs++
        complete.push({ startTs: event.ts, startSeq: event.seq, tail: node, place: i, branch: 0 })
      }
    }
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
    const { maxPartials } = this.setup.limits
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
    const { maxPartials, whenFull } = this.setup.limits
    const excess = this.count - maxPartials
    for (let n = 0; n < excess; n++) {
      const run = whenFull === 'dropOldest' ? this.oldest?.first : this.newest?.last
      this.end(run as Run)
    }
    this.owner.dropped(this.pattern, excess)
    if (this.waiting !== null) this.finish([], at)
  }
}
