import { DhaaraError } from '../../../errors/index.ts'
import type { PartTable, Sealer } from '../../../state/stores/index.ts'
import {
  begins,
  chunkOf,
  type CompiledMatcher,
  type EventCodec,
  type Head,
  KeyedMatcher,
  type MatchSink,
  mayReact,
  offerEvent,
  readHead,
  writeHead,
} from '../../cep/index.ts'
import type { Counter } from '../operator.ts'
import { Alarms, type ColdPart, KeyState } from './key-state.ts'

/** Bytes of a matcher without events, and bytes in memory for one in a row. */
const MATCHER_BYTES = 1024
const SPREAD = 8
const IDLE_MATCHERS = 256

const none: Head['waiting'] = []

/**
 * The matchers of all keys that have live state. A key without partial matches costs nothing: its events are offered to a
 * spare matcher, which becomes the key's own if it took one.
 *
 * Keys that were not used for long leave memory when it runs short. What an event may do to their partial matches is
 * decided from the states that these rest in. Only if it may do something, those parts of the key's state are read that
 * it may do something to; an event that begins a match reads no more than the row that it is written to. Skip strategies
 * and `maxPartials` compare all of a key's partial matches: with them a key is read as a whole.
 */
export class MatchKeys {
  private readonly compiled: CompiledMatcher
  private readonly table: PartTable
  private readonly codec: EventCodec
  private readonly sink: MatchSink
  private readonly partials: Counter
  private readonly states = new Map<string | number, KeyState>()
  private readonly alarms = new Alarms()
  private readonly byParts: boolean
  /** Where each pattern's states begin in `resting`; null if they do not fit. */
  private readonly bits: readonly number[] | null
  private readonly idle: KeyedMatcher[] = []
  private spare: KeyedMatcher
  private changed: KeyState[] = []
  private readonly sealed: { epoch: number; states: readonly KeyState[] }[] = []
  private weight = 0
  private reads = 0
  private hand: IterableIterator<KeyState> | undefined
  private shapeStored: boolean

  /** @param partials counts live partial matches */
  constructor(compiled: CompiledMatcher, table: PartTable, codec: EventCodec, sink: MatchSink, partials: Counter) {
    this.compiled = compiled
    this.table = table
    this.codec = codec
    this.sink = sink
    this.partials = partials
    this.byParts = compiled.skip.kind === 'none' && compiled.limits.maxPartials === Number.POSITIVE_INFINITY
    this.bits = bitsOf(compiled)
    this.spare = this.make()
    this.shapeStored = this.checkShape()
    for (const [key, row] of table.heads()) this.resume(key, readHead(row))
  }

  /** Keys with live state. */
  get size(): number {
    return this.states.size
  }

  /** Times that are held for keys. */
  get alarmCount(): number {
    return this.alarms.size
  }

  /** When time must be moved for some key; may be too early. */
  get nextDue(): number {
    return this.alarms.next
  }

  /** Moves the key's time to `ts`, then offers the event. @throws what a condition throws: then the event changed nothing */
  offer(key: unknown, value: unknown, ts: number): void {
    const id = this.table.space.keys.id(key)
    const state = this.states.get(id)
    if (state === undefined) {
      this.begin(key, id, undefined, value, ts)
      return
    }
    state.used = true
    if (state.cold === null && state.matcher === null) {
      this.begin(key, id, state, value, ts)
      return
    }
    offerEvent(value)
    if (state.resting !== -1 && !this.mayChange(state.resting, ts)) return
    if (state.cold !== null) this.warm(state, ts)
    const { matcher } = state
    if (matcher === null) return
    let done = false
    let changed = false
    try {
      changed = matcher.take(value, ts)
      done = true
    } finally {
      if (changed || !done) this.note(state, matcher)
    }
  }

  /** Keys that are due at `at`, in the order of their bytes. */
  due(at: number): KeyState[] {
    const due = this.alarms.take(at)
    if (due.length > 1) {
      const { compare } = this.table.space.keys
      due.sort((a, b) => compare(a.key, b.key))
    }
    return due
  }

  /** Moves a key's time to `at`. */
  advance(state: KeyState, at: number): void {
    const { due } = state
    if (due > at) {
      this.alarms.arm(state, due)
      return
    }
    if (state.cold !== null) this.read(state, (part) => part.due <= at)
    const matcher = state.matcher as KeyedMatcher
    try {
      matcher.advance(at)
    } finally {
      this.note(state, matcher)
    }
  }

  /** Keys with live state, in the order of their bytes. */
  live(): unknown[] {
    const live = [...this.states.values()].filter(({ cold, matcher }) => cold !== null || matcher !== null)
    return live.map(({ key }) => key).sort(this.table.space.keys.compare)
  }

  /** The matcher of a key, for somebody who only looks. */
  peek(key: unknown): KeyedMatcher | undefined {
    const state = this.states.get(this.table.space.keys.id(key))
    if (state === undefined) return undefined
    if (state.cold !== null) this.read(state, () => true)
    return state.matcher ?? undefined
  }

  /** @param besides bytes that are held beside the keys' */
  measure(besides: number): void {
    let unwritten = this.changed.length * MATCHER_BYTES
    for (const { states } of this.sealed) unwritten += states.length * MATCHER_BYTES
    this.table.space.cache.tell(this.weight + besides, Math.min(this.weight, unwritten))
  }

  /** Lets go what there is no room for, if it is written. */
  trim(): void {
    this.evict()
  }

  seal(sealer: Sealer, epoch: number): void {
    const states = this.changed.filter((state) => !state.dead)
    this.changed = []
    if (states.length === 0) return
    const { table, compiled } = this
    if (!this.shapeStored) sealer.put(table.shapeKey(), Buffer.from(compiled.shape))
    this.shapeStored = true
    const { compare } = table.space.keys
    states.sort((a, b) => compare(a.key, b.key))
    for (const state of states) {
      const { key, matcher } = state
      if (matcher !== null) sealer.put(table.headKey(key), writeHead(headOf(state, matcher)))
      else if (state.headStored) sealer.delete(table.headKey(key))
      state.headStored = matcher !== null
    }
    for (const state of states) this.sealChunks(state, sealer)
    this.sealed.push({ epoch, states })
  }

  written(epoch: number): void {
    while (this.sealed.length > 0 && (this.sealed[0] as { epoch: number }).epoch <= epoch) {
      const { epoch: at, states } = this.sealed.shift() as { epoch: number; states: KeyState[] }
      for (const state of states) if (state.dirty === at) state.dirty = 0
    }
    this.evict()
  }

  /** An event for a key without live state. */
  private begin(key: unknown, id: string | number, known: KeyState | undefined, value: unknown, ts: number): void {
    const { spare } = this
    let changed = true
    try {
      changed = spare.offer(value, ts)
    } finally {
      // also if it threw in the middle
      if (spare.idle) {
        if (changed) spare.reset()
      } else {
        const state = known ?? new KeyState(key, id)
        state.matcher = spare
        this.states.set(id, state)
        this.spare = this.idle.pop() ?? this.make()
        this.note(state, spare)
      }
    }
  }

  /** Whether the event at hand may do something to runs in these states, or begin one. Touches nothing of the key's. */
  private mayChange(resting: number, ts: number): boolean {
    const { automata } = this.compiled
    for (let i = 0; i < automata.length; i++) if (begins(automata[i] as Automaton, ts)) return true
    const bits = this.bits as readonly number[]
    for (let i = 0; i < automata.length; i++) {
      const automaton = automata[i] as Automaton
      let left = (resting >>> (bits[i] as number)) & ((1 << automaton.states.length) - 1)
      for (; left !== 0; left &= left - 1) if (mayReact(automaton, 31 - Math.clz32(left & -left), ts)) return true
    }
    return false
  }

  /** Reads the cold parts that the event at hand may do something to. */
  private warm(state: KeyState, ts: number): void {
    const { automata } = this.compiled
    const cold = state.cold as readonly ColdPart[]
    let fresh = false
    for (let i = 0; i < automata.length && !fresh; i++) fresh = begins(automata[i] as Automaton, ts)
    const nextChunk = chunkOf(state.matcher?.nextSeq ?? state.nextSeq)
    const reacting = this.reacting(cold, ts)
    if (!fresh && reacting === null) return
    this.read(state, ({ chunks, states }) => {
      if (!this.byParts || chunks === null) return true
      if (reacting !== null && states.some((own, i) => own.some((one) => reacting[i]?.includes(one)))) return true
      return fresh && chunks.includes(nextChunk)
    })
  }

  /** States of cold parts to which the event at hand may do something, by pattern; null: none. */
  private reacting(cold: readonly ColdPart[], ts: number): number[][] | null {
    const { automata } = this.compiled
    let found: number[][] | null = null
    for (let i = 0; i < automata.length; i++) {
      const seen: number[] = []
      for (const { states } of cold) {
        for (const one of states[i] as readonly number[]) {
          if (seen.includes(one)) continue
          seen.push(one)
          if (!mayReact(automata[i] as Automaton, one, ts)) continue
          found ??= automata.map(() => [])
          found[i]?.push(one)
        }
      }
    }
    return found
  }

  /** After a key's matcher changed. */
  private note(state: KeyState, matcher: KeyedMatcher): void {
    let live = matcher.livePartials
    if (state.cold !== null) for (const { count } of state.cold) live += count
    this.partials.n += live - state.partials
    state.partials = live
    const epoch = this.table.running
    if (state.dirty !== epoch) {
      state.dirty = epoch
      this.changed.push(state)
      if (this.changed.length > 2 * this.states.size + 1024) this.changed = this.changed.filter(({ dead }) => !dead)
    }
    state.resting = this.restingOf(state, matcher)
    if (matcher.idle && state.cold === null) this.release(state, matcher)
    else this.alarms.arm(state, state.due)
  }

  private restingOf({ cold }: KeyState, matcher: KeyedMatcher): number {
    const { bits } = this
    if (bits === null) return -1
    let resting = 0
    for (let i = 0; i < bits.length; i++) {
      resting |= matcher.restingBits(i) << (bits[i] as number)
      if (cold !== null)
        for (const { states } of cold) for (const one of states[i] ?? []) resting |= 1 << ((bits[i] as number) + one)
    }
    return resting
  }

  private release(state: KeyState, matcher: KeyedMatcher): void {
    matcher.reset()
    if (state.chunks !== null) state.stale = [...(state.stale ?? []), ...state.chunks.keys()]
    state.chunks = null
    if (this.idle.length < IDLE_MATCHERS) this.idle.push(matcher)
    state.matcher = null
    this.alarms.disarm(state)
    this.weigh(state, 0)
    if (!state.stored) this.forget(state)
  }

  private forget(state: KeyState): void {
    state.dead = true
    this.states.delete(state.id)
  }

  private sealChunks(state: KeyState, sealer: Sealer): void {
    const { table } = this
    const { key, matcher } = state
    // what the key was before; what it is now may take the place of some of it
    if (state.stale !== null) for (const chunk of state.stale) sealer.delete(table.partKey(key, chunk))
    state.stale = null
    if (matcher === null) {
      this.forget(state)
      return
    }
    state.chunks ??= new Map()
    const { chunks } = state
    table.begin(key)
    matcher.changes(this.codec, (chunk, row) => {
      if (row !== null) {
        sealer.put(table.part(chunk), row)
        chunks.set(chunk, row.length)
      } else if (chunks.delete(chunk)) sealer.delete(table.part(chunk))
    })
    this.weigh(state, weightOf(chunks))
  }

  /** Takes cold parts into memory. */
  private read(state: KeyState, wanted: (part: ColdPart) => boolean): void {
    // what is in memory and what is not may change by it
    if (this.reads++ % 64 === 0) this.evict()
    const { key } = state
    const cold = state.cold as readonly ColdPart[]
    const chosen: ColdPart[] = []
    for (let i = 0; i < cold.length; i++) if (wanted(cold[i] as ColdPart)) chosen.push(cold[i] as ColdPart)
    if (chosen.length === 0 && state.matcher !== null) return
    const left = cold.filter((part) => !chosen.includes(part))
    const matcher = state.matcher ?? this.idle.pop() ?? this.make()
    const numbers = chosen.flatMap(({ chunks }) => chunks ?? [])
    const whole = chosen.some(({ chunks }) => chunks === null)
    const rows = whole ? this.table.parts(key) : this.table.some(key, numbers)
    const waiting = whole ? readHead(this.table.head(key) as Uint8Array).waiting : none
    const nextSeq = state.matcher === null ? state.nextSeq : matcher.nextSeq
    // an event must not be written to a row that is not in memory
    const next = left.some(({ chunks }) => chunks?.includes(chunkOf(nextSeq))) ? afterChunk(nextSeq) : nextSeq
    matcher.load({ nextSeq: next, waiting }, rows, this.codec)
    state.chunks ??= new Map()
    for (const [chunk, row] of rows) state.chunks.set(chunk, row.length)
    state.matcher = matcher
    state.cold = left.length === 0 ? null : left
    this.weigh(state, weightOf(state.chunks))
  }

  private weigh(state: KeyState, weight: number): void {
    this.weight += weight - state.weight
    state.weight = weight
  }

  /** Second chance: a sweep spares what was used since the last one. Only what has no unwritten changes goes to sleep. */
  private evict(): void {
    const { cache } = this.table.space
    const limit = cache.allowed(this.weight)
    if (this.weight <= limit) return
    for (let looked = this.states.size * 2 + 2; looked > 0 && this.weight > limit; looked--) {
      this.hand ??= this.states.values()
      const next = this.hand.next()
      if (next.done) {
        this.hand = undefined
        continue
      }
      const state = next.value
      if (state.matcher === null || state.dirty !== 0) continue
      if (state.used) {
        state.used = false
        continue
      }
      this.cool(state, state.matcher)
    }
    cache.allowed(this.weight)
  }

  private cool(state: KeyState, matcher: KeyedMatcher): void {
    const cold: ColdPart[] = [...(state.cold ?? [])]
    if (this.byParts) cold.push(...matcher.parts())
    else if (!matcher.idle) cold.push({ ...matcher.head(), chunks: null })
    state.nextSeq = matcher.nextSeq
    state.cold = cold
    state.matcher = null
    state.chunks = null
    this.weigh(state, 0)
  }

  private resume(key: unknown, head: Head): void {
    const state = new KeyState(key, this.table.space.keys.id(key))
    const { nextSeq, due, count, states } = head
    state.cold = [{ chunks: null, due, count, states }]
    state.nextSeq = nextSeq
    state.headStored = true
    state.partials = count
    this.partials.n += state.partials
    this.states.set(state.id, state)
    this.alarms.arm(state, due)
  }

  private make(): KeyedMatcher {
    const matcher = new KeyedMatcher(this.compiled, this.sink)
    matcher.track()
    return matcher
  }

  private checkShape(): boolean {
    const { shape } = this.table
    if (shape === undefined) return false
    if (shape === this.compiled.shape) return true
    const cure =
      'go back to the pattern that it was made with (only conditions may change), give the step another store, or reset it'
    throw new DhaaraError(
      'DHAARA_STATE_INCOMPATIBLE',
      `The state of a match step is of another pattern: ${shape}; ${cure}`,
    )
  }
}

type Automaton = CompiledMatcher['automata'][number]

/** Of patterns that have less than 31 states together. */
function bitsOf({ automata }: CompiledMatcher): readonly number[] | null {
  const starts: number[] = []
  let next = 0
  for (const { states } of automata) {
    starts.push(next)
    next += states.length
  }
  return next < 31 ? starts : null
}

const afterChunk = (seq: number): number => {
  let next = seq + 1
  while (chunkOf(next) === chunkOf(seq)) next++
  return next
}

/** Of a key that is partly in memory. */
function headOf(state: KeyState, matcher: KeyedMatcher): Head {
  const head = matcher.head()
  if (state.cold === null) return head
  const { cold } = state
  return {
    ...head,
    due: state.due,
    count: cold.reduce((sum, { count }) => sum + count, head.count),
    states: head.states.map((own, i) => [...new Set([...own, ...cold.flatMap((part) => part.states[i] ?? [])])]),
  }
}

function weightOf(chunks: ReadonlyMap<number, number>): number {
  let bytes = 0
  for (const size of chunks.values()) bytes += size
  return MATCHER_BYTES + SPREAD * bytes
}
