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
  writeBegun,
  writeHead,
} from '../../cep/index.ts'
import { RowWriter } from '../../cep/row.ts'
import type { Fresh, KeyState } from './key-state.ts'

const writer = new RowWriter()
const none: Head['waiting'] = []
/** A row that was not written yet, as it is weighed. */
const FRESH_BYTES = 100

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
    const { key, fresh } = state
    const nextSeq = state.matcher === null ? state.nextSeq : matcher.nextSeq
    // an event must not be written to a row that is not in memory
    const next = isColdChunk(state, chunkOf(nextSeq)) ? firstOf(chunkOf(nextSeq) + 1) : nextSeq
    const waiting = numbers === null ? readHead(table.head(key) as Uint8Array).waiting : none
    const held = fresh === null || numbers === null ? [] : fresh.filter(({ chunk }) => numbers.includes(chunk))
    const written = held.length === 0 ? numbers : (numbers?.filter((n) => !held.some(({ chunk }) => chunk === n)) ?? [])
    const stored = written === null ? table.parts(key) : written.length === 0 ? [] : table.some(key, written)
    matcher.load({ nextSeq: next, waiting }, stored, this.codec)
    state.chunks ??= new Map()
    for (const [chunk, row] of stored) state.chunks.set(chunk, row.length)
    for (const { beginning, chunk, ts, value } of held) {
      matcher.join(beginning, chunk, ts, value)
      state.chunks.set(chunk, FRESH_BYTES)
    }
    state.matcher = matcher
  }

  /** Writes what has changed of a key: first its head, then its chunks. */
  seal(state: KeyState, sealer: Sealer, epoch: number): void {
    const { table } = this
    if (!this.shapeStored) sealer.put(table.shapeKey(), Buffer.from(this.compiled.shape))
    this.shapeStored = true
    const { matcher } = state
    table.begin(state.key)
    const lives = matcher !== null || state.isCold
    if (lives) sealer.put(table.headOfKey(), writeHead(headOf(state, this.compiled)))
    else if (state.headStored) sealer.delete(table.headOfKey())
    state.headStored = lives
    // what the key was before; what it is now may take the place of some of it
    if (state.stale !== null) for (const chunk of state.stale) sealer.delete(table.part(chunk))
    state.stale = null
    if (state.fresh !== null) this.sealFresh(state.fresh, sealer, epoch)
    if (matcher !== null) this.sealChunks(state, matcher, sealer)
  }

  private sealFresh(fresh: readonly Fresh[], sealer: Sealer, epoch: number): void {
    for (const { epoch: of, beginning, chunk, ts, value } of fresh) {
      if (of !== epoch) continue
      const row = writeBegun(writer, beginning, firstOf(chunk), ts, value, this.codec)
      sealer.put(this.table.part(chunk), row.view())
    }
  }

  private sealChunks(state: KeyState, matcher: KeyedMatcher, sealer: Sealer): void {
    const { table } = this
    state.chunks ??= new Map()
    const { chunks } = state
    matcher.changes(this.codec, (chunk, row) => {
      if (row !== null) {
        sealer.put(table.part(chunk), row)
        chunks.set(chunk, row.length)
      } else if (chunks.delete(chunk)) sealer.delete(table.part(chunk))
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

function headOf(state: KeyState, { automata }: CompiledMatcher): Head {
  const { matcher, cold, rows, nextSeq, partials } = state
  if (matcher !== null && !state.isCold) return matcher.head()
  if (matcher === null && cold === null && rows?.length === 1) {
    const [{ states, due }] = rows as [(typeof rows)[number]]
    return { nextSeq, due, count: partials, states, waiting: none }
  }
  const known = matcher?.head()
  const parts: readonly { readonly states: States }[] = [...(cold ?? []), ...(rows ?? [])]
  const statesOf = (i: number): number[] => parts.flatMap(({ states }) => states[i] ?? [])
  return {
    nextSeq: known?.nextSeq ?? nextSeq,
    due: state.due,
    count: partials,
    states: automata.map((_, i) => [...new Set([...(known?.states[i] ?? []), ...statesOf(i)])]),
    waiting: known?.waiting ?? none,
  }
}
