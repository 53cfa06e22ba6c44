import type { AggregateSpec } from '../../../src/dsl/plan/index.ts'
import { specialize } from '../../../src/engine/codegen/specialize.ts'
import type { Emit, EmitChange, OperatorContext } from '../../../src/engine/operators/operator.ts'
import { TaskClock, type Timed } from '../../../src/engine/time/clock.ts'
import { WallClock } from '../../../src/engine/time/wall.ts'
import { WallTime } from '../../../src/engine/time/wall-time.ts'
import { MemoryBackend } from '../../../src/state/backends/memory.ts'
import { copyValue } from '../../../src/state/codec/index.ts'
import type { tickedValues } from '../../../src/state/stores/index.ts'
import {
  CachePool,
  type Cells,
  cellValues,
  DueIndex,
  DueTable,
  KeyValueTable,
  msgpackValues,
  SessionTable,
  type Sealer,
  statePrefix,
  typedKeys,
  type ValueCodec,
  WindowTable,
} from '../../../src/state/stores/index.ts'

/** A result, as JSON text at the moment it came out: operators go on changing their state in place. */
export interface Out {
  readonly key: string
  readonly window: readonly [start: number, end: number]
  readonly value: unknown
  readonly old: unknown
  readonly ts: number
}

interface Operator extends Timed {
  out: EmitChange
  late: Emit | undefined
  process(key: unknown, value: unknown, ts: number, port: number): void
}

/** The stores of the operator under test, by name. */
export interface RigStores {
  window(name: string, wrap?: typeof tickedValues): WindowTable
  session(name: string, span: number): SessionTable
  cells(name: string, span: number): DueTable<Cells>
}

export type Make = (ctx: OperatorContext, stores: RigStores) => Operator

interface Options {
  readonly cacheBytes?: number
  readonly careful?: boolean
  /** Out-of-orderness of the watermark. */
  readonly bound?: number
}

type Sealed = { epoch: number; puts: [Uint8Array, Uint8Array | undefined][]; clears: [Uint8Array, Uint8Array][] }

/** One operator on a database in memory, with epochs that are sealed, written and restored by hand. */
export class Rig {
  readonly outs: Out[] = []
  readonly lates: unknown[] = []
  readonly dropped: Record<string, { n: number }> = {}
  readonly backend = new MemoryBackend()
  clock!: TaskClock
  op!: Operator
  now = 0
  private readonly make: Make
  private readonly options: Options
  private tables = new Map<string, KeyValueTable | WindowTable | DueIndex>()
  private epoch = 1
  private max = Number.NEGATIVE_INFINITY
  private readonly sealed: Sealed[] = []

  constructor(make: Make, options: Options = {}) {
    this.make = make
    this.options = options
    this.start(Number.NEGATIVE_INFINITY)
  }

  /** A record, then the watermark that follows it. */
  send(key: unknown, value: unknown, ts: number): void {
    this.op.process(key, value, ts, 0)
    if (ts > this.max) this.max = ts
    this.advance(this.max - (this.options.bound ?? 0) - 1)
  }

  advance(w: number): void {
    if (w > this.clock.w || this.clock.next <= this.clock.w) this.clock.advance(w)
  }

  end(): void {
    this.clock.advance(Number.POSITIVE_INFINITY)
  }

  seal(): void {
    const sealed: Sealed = { epoch: this.epoch++, puts: [], clears: [] }
    const sealer: Sealer = {
      put: (key, value) => void sealed.puts.push([Buffer.from(key), Buffer.from(value)]),
      delete: (key) => void sealed.puts.push([Buffer.from(key), undefined]),
      clearLater: (gte, lt) => void sealed.clears.push([gte, lt]),
    }
    for (const table of this.tables.values()) table.seal(sealer)
    this.sealed.push(sealed)
  }

  write(): void {
    for (const { epoch, puts, clears } of this.sealed.splice(0)) {
      const batch = this.backend.batch()
      for (const [key, value] of puts) {
        if (value === undefined) batch.delete(key)
        else batch.put(key, value)
      }
      batch.commit()
      for (const [gte, lt] of clears) this.backend.clearRange(gte, lt)
      for (const table of this.tables.values()) table.written(epoch)
    }
  }

  checkpoint(): void {
    this.seal()
    this.write()
  }

  /** A checkpoint, and a new operator that knows nothing but what was written. */
  restart(): void {
    this.checkpoint()
    this.start(this.clock.w)
  }

  get storedRows(): number {
    let rows = 0
    for (const _ of this.backend.range({})) rows++
    return rows
  }

  private start(w: number): void {
    this.clock = new TaskClock(
      () => {},
      (error) => {
        throw error
      },
    )
    this.clock.w = w
    this.clock.target = w
    this.tables = new Map()
    const wall = new WallClock(() => this.now)
    const failed = (error: unknown) => {
      throw error
    }
    const wallTime = new WallTime(wall, this.clock, Number.NEGATIVE_INFINITY, () => {}, failed)
    const ctx: OperatorContext = {
      clock: this.clock,
      wall,
      wallTime,
      dropped: (_step, reason) => (this.dropped[reason] ??= { n: 0 }),
      clears: { clearLater: () => {} },
      careful: this.options.careful ?? false,
      copy: copyValue,
      counter: (name) => (this.dropped[name] ??= { n: 0 }),
      fail: (error) => {
        throw error
      },
      strict: false,
    }
    const open = <T extends KeyValueTable | WindowTable | DueIndex>(
      name: string,
      values: ValueCodec,
      Table: new (space: KeyValueTable['space'], epoch: number) => T,
    ): T => {
      const store = name.endsWith('.timers') ? 2 : 1
      const prefix = statePrefix(store, 0)
      const cacheBytes = this.options.cacheBytes ?? 1e9
      const table = new Table(
        { reader: this.backend, prefix, keys: typedKeys, values, cache: new CachePool(cacheBytes).share() },
        this.epoch,
      )
      this.tables.set(name, table)
      return table
    }
    this.op = this.make(ctx, {
      window: (name, wrap = (inner) => inner) => open(name, wrap(msgpackValues), WindowTable),
      session: (name, span) =>
        new SessionTable(
          open(name, SessionTable.values(msgpackValues), KeyValueTable),
          open(`${name}.timers`, msgpackValues, DueIndex),
          span,
        ),
      cells: (name, span) =>
        new DueTable(
          open(name, cellValues(msgpackValues), KeyValueTable),
          open(`${name}.timers`, msgpackValues, DueIndex),
          span,
        ),
    })
    specialize(this.op, new Map(), 0)
    this.op.out = (key, value, old, ts) => {
      const { key: inner, window } = key as { key: string; window: { start: number; end: number } }
      this.outs.push({ key: inner, window: [window.start, window.end], value: plain(value), old: plain(old), ts })
    }
    this.op.late = (key, value, ts) => void this.lates.push([key, value, ts])
    this.clock.add(this.op)
  }
}

export const plain = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)))

/** Appends to its state in place: shows the order of adding, and who keeps a state that goes on changing. */
export const appending = (more: Partial<AggregateSpec> = {}): AggregateSpec => ({
  kind: 'aggregate',
  init: () => ({ all: [] }),
  adders: [
    (state: { all: number[] }, value: number) => {
      state.all.push(value)
      return state
    },
  ],
  merge: (left: { all: number[] }, right: { all: number[] }) => {
    left.all.push(...right.all)
    return left
  },
  mergeable: true,
  pure: false,
  ...more,
})
