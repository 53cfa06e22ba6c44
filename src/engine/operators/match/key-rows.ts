import { DhaaraError } from '../../../errors/index.ts'
import type { PartTable, Sealer } from '../../../state/stores/index.ts'
import {
  changeOfShape,
  chunkOf,
  type CompiledMatcher,
  type EventCodec,
  firstOf,
  type Head,
  type KeyedMatcher,
  readHead,
  type States,
  writeHead,
} from '../../cep/index.ts'
import type { KeyState } from './key-state.ts'

const none: Head['waiting'] = []

/** The rows of a key's state: a head, and a row for each chunk. */
export class KeyRows {
  private readonly compiled: CompiledMatcher
  private readonly table: PartTable
  private readonly codec: EventCodec
  private shapeStored: boolean

  /** @throws DhaaraError DHAARA_STATE_INCOMPATIBLE if the rows are of another pattern */
  constructor(compiled: CompiledMatcher, table: PartTable, codec: EventCodec) {
    this.compiled = compiled
    this.table = table
    this.codec = codec
    this.shapeStored = this.checkShape()
  }

  /** Puts chunks of a key into a matcher. @param numbers of the chunks; null: all there are */
  load(state: KeyState, matcher: KeyedMatcher, numbers: readonly number[] | null): void {
    const { table } = this
    const { key } = state
    const nextSeq = state.matcher === null ? state.nextSeq : matcher.nextSeq
    // an event must not be written to a row that is not in memory
    const next = isColdChunk(state, chunkOf(nextSeq)) ? firstOf(chunkOf(nextSeq) + 1) : nextSeq
    const waiting = numbers === null ? readHead(table.head(key) as Uint8Array).waiting : none
    const stored = numbers === null ? table.parts(key) : numbers.length === 0 ? [] : table.some(key, numbers, 'part')
    matcher.load({ nextSeq: next, waiting }, stored, this.codec)
    state.chunks ??= new Map()
    for (const [chunk, row] of stored) state.chunks.set(chunk, row.length)
    state.matcher = matcher
  }

  /** Writes what has changed of a key: first its head, then its chunks. */
  seal(state: KeyState, sealer: Sealer): void {
    const { table } = this
    if (!this.shapeStored) sealer.put(table.shapeKey(), Buffer.from(this.compiled.shape))
    this.shapeStored = true
    const { matcher } = state
    table.begin(state.key)
    const lives = !state.empty
    if (lives) sealer.put(table.headOfKey(), writeHead(headOf(state, this.compiled)))
    else if (state.headStored) sealer.delete(table.headOfKey())
    state.headStored = lives
    // what the key was before; what it is now may take the place of some of it
    if (state.stale !== null) for (const chunk of state.stale) sealer.delete(table.part(chunk, 'part'))
    state.stale = null
    if (matcher !== null) this.sealChunks(state, matcher, sealer)
  }

  private sealChunks(state: KeyState, matcher: KeyedMatcher, sealer: Sealer): void {
    const { table } = this
    state.chunks ??= new Map()
    const { chunks } = state
    matcher.changes(this.codec, (chunk, row) => {
      if (row !== null) {
        sealer.put(table.part(chunk, 'part'), row)
        chunks.set(chunk, row.length)
      } else if (chunks.delete(chunk)) sealer.delete(table.part(chunk, 'part'))
    })
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

function isColdChunk({ cold, rows }: KeyState, chunk: number): boolean {
  if (cold?.some(({ chunks }) => chunks?.includes(chunk))) return true
  return rows?.some(({ last }) => last === chunk) ?? false
}

/** Of a key whose matches have all begun apart: that there is one. */
export const emptyHead = ({ automata }: CompiledMatcher): Head => ({
  nextSeq: 0,
  due: Number.POSITIVE_INFINITY,
  count: 0,
  states: automata.map(() => []),
  waiting: none,
})

function headOf(state: KeyState, compiled: CompiledMatcher): Head {
  const { matcher, cold, rows, begun, nextSeq } = state
  if (!state.isCold) return matcher === null ? emptyHead(compiled) : matcher.head()
  let count = state.partials
  if (begun !== null) for (const one of begun) count -= one.count
  if (matcher === null && cold === null && rows?.length === 1) {
    const [{ states, due }] = rows as [(typeof rows)[number]]
    return { nextSeq, due, count, states, waiting: none }
  }
  const known = matcher?.head()
  const parts: readonly { readonly states: States }[] = [...(cold ?? []), ...(rows ?? [])]
  const statesOf = (i: number): number[] => parts.flatMap(({ states }) => states[i] ?? [])
  return {
    nextSeq: known?.nextSeq ?? nextSeq,
    due: state.due,
    count,
    states: compiled.automata.map((_, i) => [...new Set([...(known?.states[i] ?? []), ...statesOf(i)])]),
    waiting: known?.waiting ?? none,
  }
}
