import { DhaaraError } from '../../../errors/index.ts'
import type { PartTable, Sealer } from '../../../state/stores/index.ts'
import {
  begins,
  changeOfShape,
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
import { ColdRows } from './cold-rows.ts'
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
  /** Nobody hears of partial matches that end with their window. */
  private readonly quiet: boolean
  /** Where each pattern's states begin in `resting`; null if they do not fit. */
  private readonly bits: readonly number[] | null
  private readonly idle: KeyedMatcher[] = []
  private spare: KeyedMatcher
  private changed: KeyState[] = []
  private readonly sealed: { epoch: number; states: readonly KeyState[] }[] = []
  private weight = 0
  private reads = 0
  /** Keys with something in memory, in the order in which they came into it. */
  private inMemory: KeyState[] = []
  private firstInMemory = 0
  private shapeStored: boolean

  /** @param partials counts live partial matches */
  constructor(compiled: CompiledMatcher, table: PartTable, codec: EventCodec, sink: MatchSink, partials: Counter) {
    this.compiled = compiled
    this.table = table
    this.codec = codec
    this.sink = sink
    this.partials = partials
    this.byParts = compiled.skip.kind === 'none' && compiled.limits.maxPartials === Number.POSITIVE_INFINITY
    this.quiet = !compiled.timeouts && compiled.automata.every(({ states }) => !states.some(({ pending }) => pending))
    this.bits = bitsOf(compiled)
    this.spare = this.make()
    this.shapeStored = this.checkShape()
    for (const [key, row] of table.heads()) this.resume(key, readHead(row))
  }

  /** Keys with live state. */
  get size(): number {
    return this.states.size
  }

  /** Partial matches of all keys. */
  get livePartials(): number {
    let live = 0
    for (const { partials } of this.states.values()) live += partials
    return live
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
    if (!state.isCold && state.matcher === null) {
      this.begin(key, id, state, value, ts)
      return
    }
    offerEvent(value)
    if (state.resting !== -1 && !this.mayChange(state.resting, ts)) return
    if (state.isCold) this.warm(state, ts)
    const { matcher } = state
    if (matcher === null) return
    state.used = true
    let done = false
    let changed = false
    try {
      if (matcher.nextDue() <= ts) {
        changed = true
        matcher.advance(ts)
      }
      if (matcher.take(value, ts)) changed = true
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
    if (state.coldDue <= at) this.endCold(state, at)
    const { matcher } = state
    try {
      matcher?.advance(at)
    } finally {
      this.note(state, matcher)
    }
  }

  /** Keys with live state, in the order of their bytes. */
  live(): unknown[] {
    const live = [...this.states.values()].filter(({ isCold, matcher }) => isCold || matcher !== null)
    return live.map(({ key }) => key).sort(this.table.space.keys.compare)
  }

  /** The matcher of a key, for somebody who only looks. */
  peek(key: unknown): KeyedMatcher | undefined {
    const state = this.states.get(this.table.space.keys.id(key))
    if (state === undefined) return undefined
    if (state.isCold) this.read(state, state.cold ?? [], state.rows ?? [])
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
    this.evict(Number.POSITIVE_INFINITY)
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
      const { key } = state
      const lives = state.matcher !== null || state.isCold
      if (lives) sealer.put(table.headKey(key), writeHead(headOf(state, compiled)))
      else if (state.headStored) sealer.delete(table.headKey(key))
      state.headStored = lives
    }
    for (const state of states) this.sealChunks(state, sealer)
    this.sealed.push({ epoch, states })
  }

  written(epoch: number): void {
    while (this.sealed.length > 0 && (this.sealed[0] as { epoch: number }).epoch <= epoch) {
      const { epoch: at, states } = this.sealed.shift() as { epoch: number; states: KeyState[] }
      for (const state of states) if (state.dirty === at) state.dirty = 0
    }
    this.evict(Number.POSITIVE_INFINITY)
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

  /** Reads the cold parts that the event at hand may do something to; also those that end before it. */
  private warm(state: KeyState, ts: number): void {
    const { automata } = this.compiled
    if (state.coldDue <= ts) this.endCold(state, ts)
    const { cold, rows } = state
    const reacting = this.reacting([...(cold ?? []), ...(rows ?? [])], ts)
    let fresh = false
    for (let i = 0; i < automata.length && !fresh; i++) fresh = begins(automata[i] as Automaton, ts)
    if (!fresh && reacting === null) return
    const wanted = ({ states }: Pick<ColdPart, 'states'>): boolean =>
      reacting !== null && states.some((own, i) => own.some((one) => reacting[i]?.includes(one)))
    const parts = cold?.filter((part) => !this.byParts || part.chunks === null || wanted(part)) ?? []
    this.read(state, parts, rows?.filter(wanted) ?? [])
  }

  /** What ends at or before `at` and is not in memory: ends it, if nobody hears of it; else reads it. */
  private endCold(state: KeyState, at: number): void {
    const { cold, rows } = state
    if (rows !== null) {
      const gone: number[] = []
      for (const row of rows) {
        if (row.due > at) continue
        if (this.quiet) row.expire(at, gone)
        else this.load(state, row.takeDue(at), none)
      }
      if (gone.length > 0) state.stale = state.stale === null ? gone : [...state.stale, ...gone]
      const left = rows.filter((row) => !row.empty)
      state.rows = left.length === 0 ? null : left
    }
    const due = cold?.filter((part) => part.due <= at) ?? []
    if (due.length > 0) this.read(state, due, [])
  }

  /** States of cold parts to which the event at hand may do something, by pattern; null: none. */
  private reacting(cold: readonly Pick<ColdPart, 'states'>[], ts: number): number[][] | null {
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

  /** After a key changed. */
  private note(state: KeyState, matcher: KeyedMatcher | null): void {
    const { live } = state
    this.partials.n += live - state.partials
    state.partials = live
    const epoch = this.table.running
    if (state.dirty !== epoch) {
      state.dirty = epoch
      this.changed.push(state)
      if (this.changed.length > 2 * this.states.size + 1024) this.changed = this.changed.filter(({ dead }) => !dead)
    }
    state.resting = this.restingOf(state)
    if (state.isCold) this.alarms.arm(state, state.due)
    else if (matcher === null || matcher.idle) this.release(state, matcher)
    else this.alarms.arm(state, state.due)
    if (state.matcher !== null && !state.queued) this.queue(state)
  }

  private queue(state: KeyState): void {
    state.queued = true
    this.inMemory.push(state)
    if (this.inMemory.length <= 2 * this.states.size + 1024) return
    const live = (one: KeyState): boolean => !one.dead && one.matcher !== null
    const queued = this.inMemory.slice(this.firstInMemory)
    this.inMemory = queued.filter(live)
    for (const one of queued) one.queued = live(one)
    this.firstInMemory = 0
  }

  private restingOf({ matcher, cold, rows }: KeyState): number {
    const { bits } = this
    if (bits === null) return -1
    let resting = 0
    for (let i = 0; i < bits.length; i++) {
      const first = bits[i] as number
      if (matcher !== null) resting |= matcher.restingBits(i) << first
      if (cold !== null) for (const { states } of cold) for (const one of states[i] ?? []) resting |= 1 << (first + one)
      if (rows !== null) for (const { states } of rows) for (const one of states[i] ?? []) resting |= 1 << (first + one)
    }
    return resting
  }

  private release(state: KeyState, matcher: KeyedMatcher | null): void {
    if (state.chunks !== null) state.stale = [...(state.stale ?? []), ...state.chunks.keys()]
    state.chunks = null
    if (matcher !== null) this.retire(matcher)
    state.matcher = null
    this.alarms.disarm(state)
    this.weigh(state, 0)
    if (!state.stored) this.forget(state)
  }

  private retire(matcher: KeyedMatcher): void {
    matcher.reset()
    if (this.idle.length < IDLE_MATCHERS) this.idle.push(matcher)
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
      if (!state.isCold) this.forget(state)
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
  private read(state: KeyState, parts: readonly ColdPart[], rows: readonly ColdRows[]): void {
    if (parts.length > 0) {
      const left = (state.cold as readonly ColdPart[]).filter((part) => !parts.includes(part))
      state.cold = left.length === 0 ? null : left
    }
    if (rows.length > 0) {
      const left = (state.rows as readonly ColdRows[]).filter((row) => !rows.includes(row))
      state.rows = left.length === 0 ? null : left
    }
    const numbers = parts.flatMap(({ chunks }) => chunks ?? [])
    for (const row of rows) numbers.push(...row.all())
    if (parts.some(({ chunks }) => chunks === null)) {
      this.load(state, null, readHead(this.table.head(state.key) as Uint8Array).waiting)
    } else this.load(state, numbers, none)
  }

  /** @param numbers of the chunks; null: all there are */
  private load(state: KeyState, numbers: readonly number[] | null, waiting: Head['waiting']): void {
    // what is in memory and what is not may change by it
    if (this.reads++ % 64 === 0) this.evict(256)
    const { key } = state
    const matcher = state.matcher ?? this.idle.pop() ?? this.make()
    const nextSeq = state.matcher === null ? state.nextSeq : matcher.nextSeq
    // an event must not be written to a row that is not in memory
    const next = isColdChunk(state, chunkOf(nextSeq)) ? afterChunk(nextSeq) : nextSeq
    const stored = numbers === null ? this.table.parts(key) : numbers.length === 0 ? [] : this.table.some(key, numbers)
    matcher.load({ nextSeq: next, waiting }, stored, this.codec)
    state.chunks ??= new Map()
    for (const [chunk, row] of stored) state.chunks.set(chunk, row.length)
    state.matcher = matcher
    if (!state.queued) this.queue(state)
    this.weigh(state, weightOf(state.chunks))
  }

  private weigh(state: KeyState, weight: number): void {
    this.weight += weight - state.weight
    state.weight = weight
  }

  /** Second chance: a key that was used since it was looked at is spared. Only what has no unwritten changes goes to sleep. */
  private evict(looks: number): void {
    const { cache } = this.table.space
    const limit = cache.allowed(this.weight)
    if (this.weight <= limit) return
    const most = Math.min(looks, (this.inMemory.length - this.firstInMemory) * 2)
    for (let looked = 0; looked < most && this.weight > limit; looked++) {
      const state = this.inMemory[this.firstInMemory]
      if (state === undefined) break
      this.firstInMemory++
      if (state.dead || state.matcher === null) {
        state.queued = false
        continue
      }
      if (state.dirty !== 0 || state.used) {
        state.used = false
        this.inMemory.push(state)
        continue
      }
      state.queued = false
      this.cool(state, state.matcher)
    }
    if (this.firstInMemory * 2 > this.inMemory.length) {
      this.inMemory = this.inMemory.slice(this.firstInMemory)
      this.firstInMemory = 0
    }
    cache.allowed(this.weight)
  }

  private cool(state: KeyState, matcher: KeyedMatcher): void {
    if (!this.byParts) {
      if (!matcher.idle) state.cold = [{ ...matcher.head(), chunks: null }]
    } else if (!this.coolRows(state, matcher)) state.cold = [...(state.cold ?? []), ...matcher.parts()]
    state.nextSeq = matcher.nextSeq
    state.matcher = null
    state.chunks = null
    this.weigh(state, 0)
  }

  /** @returns false: some of the runs have events in several chunks */
  private coolRows(state: KeyState, matcher: KeyedMatcher): boolean {
    if (this.bits === null) return false
    const rows = [...(state.rows ?? [])]
    const done = matcher.families((chunk, states, due, count) => {
      let own = rows.find((row) => row.states === states)
      if (own === undefined) {
        own = new ColdRows(states)
        rows.push(own)
      }
      own.add(chunk, due, count)
    })
    if (done) state.rows = rows.length === 0 ? null : rows
    return done
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
    const cure = 'go back to that (only conditions and windows may change), give the step another store, or reset it'
    throw new DhaaraError(
      'DHAARA_STATE_INCOMPATIBLE',
      `The state of a match step is of another pattern: ${changeOfShape(shape, this.compiled.shape)}; ${cure}`,
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

function isColdChunk({ cold, rows }: KeyState, chunk: number): boolean {
  if (cold?.some(({ chunks }) => chunks?.includes(chunk))) return true
  return rows?.some(({ last }) => last === chunk) ?? false
}

function headOf(state: KeyState, { automata }: CompiledMatcher): Head {
  const { matcher, due, partials } = state
  const known = matcher?.head()
  if (known !== undefined && !state.isCold) return known
  const cold = [...(state.cold ?? []), ...(state.rows ?? [])]
  const statesOf = (i: number): number[] => cold.flatMap(({ states }) => states[i] ?? [])
  return {
    nextSeq: known?.nextSeq ?? state.nextSeq,
    due,
    count: partials,
    states: automata.map((_, i) => [...new Set([...(known?.states[i] ?? []), ...statesOf(i)])]),
    waiting: known?.waiting ?? none,
  }
}

function weightOf(chunks: ReadonlyMap<number, number>): number {
  let bytes = 0
  for (const size of chunks.values()) bytes += size
  return MATCHER_BYTES + SPREAD * bytes
}
