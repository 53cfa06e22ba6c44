import {
  type Beginning,
  beginningOf,
  beginsBy,
  type CompiledMatcher,
  reactionOf,
  type States,
} from '../../cep/index.ts'

/** With more live keys than this an event is judged before its key is looked up: most events can do nothing to any. */
const MANY_KEYS = 256

/**
 * What the event that was offered last may do to partial matches: told by the states that they rest in, without them, and
 * once for all keys.
 */
export class Reactions {
  /** It begins a match, or a condition has to be asked again. */
  begins = false
  /** What it begins, if that is one pattern's and completes nothing. */
  beginning: Beginning | null = null
  private readonly compiled: CompiledMatcher
  /** Where each pattern's states begin in bits; null if they do not fit. */
  private readonly firsts: readonly number[] | null
  private ts = 0
  /** States that were asked, and those of them that may react. */
  private asked = 0
  private react = 0
  /** Those in which it ends all partial matches, and nobody gets anything. */
  private over = 0
  /** All states that some key's partial matches ever rested in. */
  private ever = 0

  constructor(compiled: CompiledMatcher) {
    this.compiled = compiled
    const firsts: number[] = []
    let next = 0
    for (const { states } of compiled.automata) {
      firsts.push(next)
      next += states.length
    }
    this.firsts = next < 31 ? firsts : null
  }

  /** There are bits for all states. */
  get fits(): boolean {
    return this.firsts !== null
  }

  /** Looks at what the event begins. @returns false: whatever the state of its key, the event can do nothing */
  judge(ts: number, keys: number): boolean {
    const { automata } = this.compiled
    this.ts = ts
    this.asked = 0
    this.react = 0
    this.over = 0
    this.begins = false
    this.beginning = null
    for (let i = 0; i < automata.length; i++) {
      const leaf = beginsBy(automata[i] as Automaton, ts)
      if (leaf === null) this.begins = true
      else if (leaf.ops.length > 0) {
        this.begins = true
        if (automata.length === 1) this.beginning = beginningOf(leaf)
      }
    }
    return this.begins || this.firsts === null || keys < MANY_KEYS || this.reacts(this.ever)
  }

  /** Whether it may do something to partial matches in these states, or begin one. */
  mayChange(resting: number): boolean {
    return this.begins || resting === -1 || this.reacts(resting)
  }

  /** Whether it may do something to partial matches in these states; true where they do not fit. */
  reacts(resting: number): boolean {
    if (this.firsts === null) return true
    if ((this.react & resting) !== 0) return true
    for (let left = resting & ~this.asked; left !== 0; left &= left - 1) {
      const bit = left & -left
      this.ask(bit)
      if ((this.react & bit) !== 0) return true
    }
    return false
  }

  /** Whether it ends all partial matches in these states, and nobody gets anything. */
  ends(resting: number): boolean {
    for (let left = resting & ~this.asked; left !== 0; left &= left - 1) this.ask(left & -left)
    return (resting & ~this.over) === 0
  }

  /** The same, of parts of a key. */
  reactsTo(states: States): boolean {
    if (this.firsts !== null) return this.reacts(this.bitsOf(states))
    const { automata } = this.compiled
    return states.some((own, i) =>
      own.some((state) => reactionOf(automata[i] as Automaton, state, this.ts)?.keep !== true),
    )
  }

  /** States by pattern, as bits; 0 if they do not fit. */
  bitsOf(states: States): number {
    const { firsts } = this
    if (firsts === null) return 0
    let bits = 0
    for (let i = 0; i < states.length; i++) {
      const own = states[i] as readonly number[]
      for (let n = 0; n < own.length; n++) bits |= 1 << ((firsts[i] as number) + (own[n] as number))
    }
    return bits
  }

  /** Where the bits of a pattern begin. */
  firstOf(pattern: number): number {
    return this.firsts?.[pattern] ?? 0
  }

  /** Partial matches rest in these states now. */
  note(resting: number): void {
    this.ever |= resting
  }

  private ask(bit: number): void {
    const at = 31 - Math.clz32(bit)
    const firsts = this.firsts as readonly number[]
    let pattern = firsts.length - 1
    while ((firsts[pattern] as number) > at) pattern--
    const { automata } = this.compiled
    const leaf = reactionOf(automata[pattern] as Automaton, at - (firsts[pattern] as number), this.ts)
    this.asked |= bit
    if (leaf === null || !leaf.keep) this.react |= bit
    if (leaf?.ops.length === 0) this.over |= bit
  }
}

type Automaton = CompiledMatcher['automata'][number]
