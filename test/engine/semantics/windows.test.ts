import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { every, type KStream, serdes, type Windows, windows, watermarks } from '../../../src/index.ts'
import type { EmitSpec } from '../../../src/dsl/plan/index.ts'
import { type Play, plays, type Result, runAll, type Sent, sentIn, topologyOf } from '../operators/topologies.ts'
import type { Out } from '../operators/rig.ts'
import { SessionModel } from '../operators/aggregate/session-model.ts'
import { SlidingModel } from '../operators/aggregate/sliding-model.ts'
import { days, fixed, growing, WindowModel, type WindowsOf } from '../operators/aggregate/window-model.ts'

// a long run: RUNS=2000 npx mocha test/engine/semantics/windows.test.ts
const numRuns = Number(process.env['RUNS'] ?? 25)
const hour = 3_600_000

interface Model {
  readonly outs: readonly Out[]
  readonly lates: readonly unknown[]
  send(key: string, value: number, ts: number): void
  advance(w: number): void
}

interface Case {
  readonly emit: EmitSpec
  readonly grace: number
  readonly bound: number
}
interface Kind {
  readonly make: (grace: number) => Windows<'tumbling'>
  readonly model: (one: Case) => Model
  /** Ms between two times of a play, and where it begins. */
  readonly unit?: number
  readonly from?: number
}

const timeModel = (windowsOf: WindowsOf) => (one: Case) =>
  new WindowModel({ ...one, windowsOf, needsOld: false, vanishes: () => false })

function sessionModel(gapOf: (value: number) => number) {
  return ({ grace, emit, bound }: Case): Model => {
    const model = new SessionModel(grace, emit, false, bound)
    return {
      outs: model.outs,
      lates: model.lates,
      send: (key, value, ts) => model.send(key, value, ts, gapOf(value)),
      advance: (w) => model.advance(w),
    }
  }
}

const gapOf = (value: number): number => 1 + (value % 9)
const as = (made: unknown): Windows<'tumbling'> => made as Windows<'tumbling'>

const kinds: Readonly<Record<string, Kind>> = {
  tumbling: {
    make: (grace) => windows.tumbling(10, { offset: 3 }).grace(grace),
    model: timeModel(fixed(10, 10, 3)),
  },
  hopping: {
    make: (grace) => as(windows.hopping(12, { advance: 5 }).grace(grace)),
    model: timeModel(fixed(12, 5, 0)),
  },
  cumulative: {
    make: (grace) => as(windows.cumulative(12, { step: 4 }).grace(grace)),
    model: timeModel(growing(12, 4, 0)),
  },
  sliding: {
    make: (grace) => as(windows.sliding(8).grace(grace)),
    model: (one) => new SlidingModel({ ...one, d: 8, needsOld: false, vanishes: () => false }),
  },
  session: { make: (grace) => as(windows.session(5).grace(grace)), model: sessionModel(() => 5) },
  'session by record': {
    make: (grace) => as(windows.session<number, string>(gapOf).grace(grace)),
    model: sessionModel(gapOf),
  },
  calendar: {
    make: (grace) => windows.tumbling('1d', { timeZone: 'Europe/Berlin' }).grace(grace),
    model: timeModel(days('Europe/Berlin')),
    unit: 2 * hour,
    from: Date.parse('2024-03-30T00:00:00Z'),
  },
}

const emits: Readonly<Record<string, EmitSpec>> = {
  update: { mode: 'update' },
  close: { mode: 'close' },
  onTime: { mode: 'onTime' },
  every: { mode: 'every', interval: 7, clock: 'event' },
}

interface List {
  readonly all: readonly number[]
}

/** @param mergeable hopping windows keep panes then, in which values are not in the order of arrival */
function topology(kind: Kind, one: Case, moved: boolean, mergeable: boolean) {
  const { unit = 1 } = kind
  const emit = one.emit.mode === 'every' ? every(one.emit.interval) : one.emit.mode
  const value = serdes.json<List>()
  return topologyOf((builder) => {
    const source = builder.stream('in0', {
      key: serdes.string(),
      value: serdes.number(),
      nullKeys: 'drop',
      watermark: watermarks.boundedOutOfOrderness(one.bound * unit),
    }) as KStream<string, number>
    const stream = moved ? source.selectKey((_, key) => key, { key: serdes.string() }) : source
    stream
      .groupByKey()
      .windowedBy(kind.make(one.grace))
      .emit(emit)
      .lateTo((late) => late.mapValues((n) => ({ all: [n] })).to('late', { key: serdes.string(), value }))
      .aggregate(
        (): List => ({ all: [] }),
        ({ all }, n) => ({ all: [...all, n] }),
        {
          ...(mergeable ? { merge: (a: List, b: List) => ({ all: [...a.all, ...b.all] }) } : {}),
        },
      )
      .toStream()
      .to('out', { key: serdes.windowed(serdes.string()), value })
  })
}

/** Times of a play in the units of the kind. */
const scaled = ({ unit = 1, from = 0 }: Kind, play: Play): Play => ({
  ...play,
  events: play.events.map((event) => (typeof event === 'string' ? event : { ...event, ts: from + event.ts * unit })),
})

function byModel(kind: Kind, one: Case, sent: readonly Sent[]): Model {
  const model = kind.model(one)
  // a null value says nothing to windows, and moves W nevertheless
  let highest = Number.NEGATIVE_INFINITY
  for (const { key, value, ts } of sent) {
    highest = Math.max(highest, ts)
    if (value !== null) model.send(key, value, ts)
    model.advance(highest - one.bound - 1)
  }
  model.advance(Number.POSITIVE_INFINITY)
  return model
}

const rowsOf = (outs: readonly Out[]): Result[] =>
  outs.map(({ key, window: [start, end], value, ts }) => ({ key: { key, window: { start, end } }, value, ts }))

const unordered = (rows: readonly Result[]): Result[] =>
  rows.map(({ value, ...row }) => ({
    ...row,
    value: value === null ? null : { all: [...(value as List).all].sort((a, b) => a - b) },
  }))

describe('windows of every kind and mode, held to models', () => {
  for (const [name, kind] of Object.entries(kinds)) {
    for (const [mode, emit] of Object.entries(emits)) {
      it(`${name}, ${mode}: late input, tombstones, crashes, any batches, with and without a repartition`, () => {
        const { unit = 1 } = kind
        const cases = fc.record({
          grace: fc.constantFrom(0, 6),
          bound: fc.constantFrom(0, 4),
          moved: fc.boolean(),
          merging: fc.boolean(),
        })
        fc.assert(
          fc.property(plays({ tombstones: 1 }), cases, (play, { grace, bound, moved, merging }) => {
            const one: Case = { emit: scaledEmit(emit, unit), grace: grace * unit, bound: bound * unit }
            const own = scaled(kind, play)
            const mergeable = merging || name.startsWith('session')
            const { outs, lates } = byModel(kind, one, sentIn(own.events))
            const made = topology(kind, { ...one, bound }, moved, mergeable)
            const found = runAll(made, own, ['out', 'late'])
            const expected = rowsOf(outs)
            const rows = found.get('out') as Result[]
            if (mergeable) assert.deepEqual(unordered(rows), unordered(expected))
            else assert.deepEqual(rows, expected)
            assert.deepEqual(
              (found.get('late') as Result[]).map(({ key, value, ts }) => [key, (value as List).all[0], ts]),
              lates,
            )
          }),
          { numRuns },
        )
      })
    }
  }
})

const scaledEmit = (emit: EmitSpec, unit: number): EmitSpec =>
  emit.mode === 'every' ? { ...emit, interval: emit.interval * unit } : emit
