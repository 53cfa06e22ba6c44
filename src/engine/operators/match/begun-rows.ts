import type { PartTable, Sealer } from '../../../state/stores/index.ts'
import {
  type Beginning,
  chunkOf,
  type EventCodec,
  firstOf,
  type KeyedMatcher,
  readBegun,
  writeBegun,
} from '../../cep/index.ts'
import { RowWriter } from '../../cep/row.ts'
import { ColdRows } from './cold-rows.ts'
import type { Fresh, KeyState } from './key-state.ts'

const writer = new RowWriter()

/**
 * Partial matches of all keys that have begun and done nothing since, apart from the matchers: an event each. Its row is
 * written once and deleted once, and the key's head is not written for it. All of them last as long, so they end in the
 * order in which they began; whoever takes them over from a matcher has to look at `begunDue`:
 *
 *     line   100 k7 · 100 k2 · 101 k7 · 130 k5   ▶ time
 */
export class BegunRows {
  private readonly table: PartTable
  private readonly codec: EventCodec
  /** How long a partial match lasts; Infinity: for ever. */
  private readonly lasts: number
  private dues: number[] = []
  private owners: KeyState[] = []
  /** Those of the line before this one are gone. */
  private from = 0
  /** Chunks that have neither ended nor moved. */
  private alive = 0
  /** Of the running epoch; some are dropped by now. */
  private fresh: Fresh[] = []
  private drops = 0
  private sealed: Fresh[] = []
  /** Rows to be deleted. */
  private gone: { readonly state: KeyState; readonly chunk: number }[] = []

  constructor(table: PartTable, codec: EventCodec, lasts: number) {
    this.table = table
    this.codec = codec
    this.lasts = lasts
  }

  /** When the first ends; Infinity: never. */
  get nextDue(): number {
    return this.from < this.dues.length ? (this.dues[this.from] as number) : Number.POSITIVE_INFINITY
  }

  /** How many the line has, those included that are in a matcher by now. */
  get inLine(): number {
    return this.dues.length - this.from
  }

  /** How many wait to be written. */
  get waiting(): number {
    return this.fresh.length + this.sealed.length
  }

  /** An event of now has begun matches. */
  begin(state: KeyState, beginning: Beginning, value: unknown, ts: number): void {
    const due = this.put(state, beginning, value, ts)
    if (due === Number.POSITIVE_INFINITY) return
    this.dues.push(due)
    this.owners.push(state)
    if (this.inLine > 2 * this.alive + 1024) this.clean()
  }

  /** Takes over those of a key's matcher, if all of them began in this way and did nothing since. @returns whether it does */
  takeOver(state: KeyState, matcher: KeyedMatcher, beginning: Beginning): boolean {
    const events = matcher.begunBy(beginning)
    if (events === null) return false
    for (const { value, ts } of events) state.handedUntil = this.put(state, beginning, value, ts)
    matcher.clear()
    return true
  }

  /** @returns when it ends */
  private put(state: KeyState, beginning: Beginning, value: unknown, ts: number): number {
    const { matcher } = state
    const chunk = matcher === null ? chunkOf(state.nextSeq - 1) + 1 : matcher.setApart()
    state.nextSeq = firstOf(chunk + 1)
    const due = this.add(state, chunk, beginning.states, ts, beginning.runs.length)
    const fresh = { state, chunk, beginning, ts, value, epoch: this.table.running, dropped: false }
    if (state.fresh === null) state.fresh = [fresh]
    else state.fresh.push(fresh)
    this.fresh.push(fresh)
    return due
  }

  /** Adds those that were stored. @param stateOf the key's state */
  resume(stateOf: (key: unknown) => KeyState): void {
    const found: { state: KeyState; chunk: number; read: ReturnType<typeof readBegun> }[] = []
    for (const [key, chunk, row] of this.table.loose()) found.push({ state: stateOf(key), chunk, read: readBegun(row) })
    found.sort((a, b) => a.read.ts - b.read.ts)
    for (const { state, chunk, read } of found) {
      if (state.nextSeq < firstOf(chunk + 1)) state.nextSeq = firstOf(chunk + 1)
      const due = this.add(state, chunk, read.states, read.ts, read.count)
      this.dues.push(due)
      this.owners.push(state)
    }
  }

  private add(state: KeyState, chunk: number, states: ColdRows['states'], ts: number, count: number): number {
    const due = ts + this.lasts
    const { begun } = state
    this.alive++
    if (begun?.length === 1 && (begun[0] as ColdRows).states === states) (begun[0] as ColdRows).add(chunk, due, count)
    else {
      const all = [...(begun ?? [])]
      ColdRows.of(states, all).add(chunk, due, count)
      state.begun = all
    }
    return due
  }

  /** Takes what ends at or before `at` out of the line. @param each gets the keys, some of them again and again */
  due(at: number, each: (state: KeyState) => void): void {
    while (this.nextDue <= at) {
      const owner = this.owners[this.from++] as KeyState
      if (owner.begun !== null) each(owner)
    }
    const { from } = this
    if (from < 1024 || from * 2 < this.dues.length) return
    this.dues = this.dues.slice(from)
    this.owners = this.owners.slice(from)
    this.from = 0
  }

  /** Ends those of a key whose time is over at `at`, which nobody hears of. */
  expire(state: KeyState, at: number): void {
    const gone: number[] = []
    for (const rows of state.begun ?? []) rows.expire(at, gone)
    trim(state)
    for (let i = 0; i < gone.length; i++) this.drop(state, gone[i] as number)
  }

  /** Those of a key whose time is over at `at`, for `move`. */
  dueOf(state: KeyState, at: number): number[] {
    const due = (state.begun ?? []).flatMap((rows) => rows.takeDue(at))
    trim(state)
    return due
  }

  /** Moves chunks that are not counted with their key any more into its matcher, whose own they become. */
  move(state: KeyState, chunks: readonly number[], matcher: KeyedMatcher): void {
    const fresh = freshOf(state, chunks)
    const stored = fresh.length === 0 ? chunks : chunks.filter((n) => !fresh.some(({ chunk }) => chunk === n))
    if (stored.length > 0) matcher.adopt(this.table.some(state.key, stored, 'loose'), this.codec)
    for (const { beginning, chunk, ts, value } of fresh) matcher.join(beginning, chunk, ts, value)
    for (let i = 0; i < chunks.length; i++) this.drop(state, chunks[i] as number)
  }

  /** Rows of a key as they are now. */
  rowsOf(state: KeyState): [chunk: number, row: Uint8Array][] {
    const chunks = (state.begun ?? []).flatMap((rows) => rows.all())
    if (chunks.length === 0) return []
    const fresh = freshOf(state, chunks)
    const stored = chunks.filter((n) => !fresh.some(({ chunk }) => chunk === n))
    const rows = stored.length === 0 ? [] : this.table.some(state.key, stored, 'loose')
    for (const one of fresh) rows.push([one.chunk, this.write(one).copy()])
    return rows
  }

  seal(sealer: Sealer, epoch: number): void {
    const { table, gone } = this
    // a key that begins anew may use the numbers of those that are gone
    for (let i = 0; i < gone.length; i++) {
      const { state, chunk } = gone[i] as (typeof gone)[number]
      table.begin(state.key)
      sealer.delete(table.part(chunk, 'loose'))
    }
    this.gone = []
    const { fresh } = this
    this.fresh = []
    this.drops = 0
    for (let i = 0; i < fresh.length; i++) {
      const one = fresh[i] as Fresh
      if (one.dropped || one.epoch !== epoch) continue
      table.begin(one.state.key)
      sealer.put(table.part(one.chunk, 'loose'), this.write(one).view())
      this.sealed.push(one)
    }
  }

  /** Epochs up to this one are in the database. */
  written(epoch: number): void {
    const { sealed } = this
    let n = 0
    for (; n < sealed.length && (sealed[n] as Fresh).epoch <= epoch; n++) {
      const { state } = sealed[n] as Fresh
      const { fresh } = state
      if (fresh === null || (fresh[0] as Fresh).epoch > epoch) continue
      state.fresh = (fresh.at(-1) as Fresh).epoch <= epoch ? null : fresh.filter((one) => one.epoch > epoch)
    }
    this.sealed = n === sealed.length ? [] : sealed.slice(n)
  }

  private write({ beginning, chunk, ts, value }: Fresh): RowWriter {
    return writeBegun(writer, beginning, firstOf(chunk), ts, value, this.codec)
  }

  /** Leaves those out of the line that are in a matcher by now. */
  private clean(): void {
    const line: { due: number; state: KeyState }[] = []
    for (const state of new Set(this.owners.slice(this.from)))
      for (const rows of state.begun ?? []) for (const due of rows.allDues()) line.push({ due, state })
    line.sort((a, b) => a.due - b.due)
    this.dues = line.map(({ due }) => due)
    this.owners = line.map(({ state }) => state)
    this.from = 0
  }

  /** The row of a chunk is not needed any more. */
  private drop(state: KeyState, chunk: number): void {
    this.alive--
    const { fresh } = state
    const at = fresh === null ? -1 : fresh.findIndex((one) => one.chunk === chunk)
    if (at !== -1) {
      const [one] = (fresh as Fresh[]).splice(at, 1) as [Fresh]
      if (fresh?.length === 0) state.fresh = null
      if (one.epoch === this.table.running) {
        one.dropped = true
        if (++this.drops > 1024 && this.drops * 2 > this.fresh.length) {
          this.fresh = this.fresh.filter(({ dropped }) => !dropped)
          this.drops = 0
        }
        return
      }
    }
    this.gone.push({ state, chunk })
  }
}

const freshOf = ({ fresh }: KeyState, chunks: readonly number[]): Fresh[] =>
  fresh === null ? [] : fresh.filter(({ chunk }) => chunks.includes(chunk))

function trim(state: KeyState): void {
  const { begun } = state
  if (begun === null) return
  if (begun.length === 1) {
    if ((begun[0] as ColdRows).empty) state.begun = null
    return
  }
  const left = begun.filter((rows) => !rows.empty)
  state.begun = left.length === 0 ? null : left
}
