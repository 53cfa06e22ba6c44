// Windows of all kinds have one chain of calls here, whose types differ.
// biome-ignore-all lint/suspicious/noExplicitAny: see above
import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { serdes, StreamsBuilder, type Topology, untilWindowCloses, windows } from '../../../../src/index.ts'
import { TopologyTestDriver } from '../../../../src/testing/index.ts'

type How = 'join' | 'leftJoin' | 'outerJoin'
type Kind = keyof typeof kinds

const text = serdes.string()
const serde = { key: text, value: text, nullKeys: 'drop' } as const
const runs = Number(process.env['RUNS'] ?? 60)

const kinds = {
  tumbling: () => windows.tumbling(5).grace(2),
  hopping: () => windows.hopping(6, { advance: 3 }).grace(2),
  cumulative: () => windows.cumulative(6, { step: 2 }).grace(2),
  sliding: () => windows.sliding(4).grace(2),
  session: () => windows.session(3).grace(2),
}

/** @param rows the table of a topic's windows */
function joined(kind: Kind, how: How, rows: (aggregated: any) => any): Topology {
  const builder = new StreamsBuilder()
  const table = (topic: string) => rows((builder.stream(topic, serde).groupByKey() as any).windowedBy(kinds[kind]()))
  table('left')
    [how](table('right'), (l: unknown, r: unknown) => `${l}|${r}`)
    .toStream()
    .to('out', { key: serdes.windowed(text), value: text })
  return builder.build()
}

const texts = (grouped: any) =>
  grouped.aggregate(
    () => '',
    // panes are merged by time, so that the order of coming must not show
    (a: string, v: string) => sorted(a + v),
    { merge: (a: string, b: string) => sorted(a + b) },
  )

const sorted = (letters: string) => [...letters].sort().join('')

const steps = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        topic: fc.constantFrom('left', 'right'),
        key: fc.constantFrom('a', 'b'),
        ahead: fc.integer({ min: -4, max: 5 }),
      }),
    },
    fc.constantFrom('checkpoint' as const, 'crash' as const),
  ),
  { maxLength: 60, size: 'max' },
)
type Steps = typeof steps extends fc.Arbitrary<infer T> ? T : never

/** What comes out, and what is left in stores of rows for joins. */
function run(topology: Topology, all: Steps): { out: unknown[]; kept: number } {
  using driver = new TopologyTestDriver(topology)
  let now = 10
  const sent: (() => void)[] = []
  let n = 0
  for (const step of all) {
    if (step === 'checkpoint') {
      driver.checkpoint()
      sent.length = 0
    } else if (step === 'crash') {
      driver.crash()
      for (const again of sent) again()
    } else {
      const timestamp = Math.max(0, now + step.ahead)
      now = Math.max(now, timestamp)
      const value = `${n++ % 10}`
      const send = () => driver.input(step.topic).send(value, { key: step.key, timestamp })
      sent.push(send)
      send()
    }
  }
  for (const timestamp of [now + 100, now + 200])
    for (const topic of ['left', 'right']) driver.input(topic).send('', { key: 'z', timestamp })
  const out = driver
    .output<{ key: string; window: { start: number; end: number } }, string>('out')
    .readAll()
    .filter(({ key }) => key.key !== 'z')
    .map(({ key: { key, window }, value, timestamp }) => [key, window.start, window.end, value, timestamp])
  return { out, kept: rowsForJoins(driver) }
}

/** Rows of windows that are kept for joins only. */
function rowsForJoins(driver: TopologyTestDriver): number {
  const { rows, storeIds } = driver.checkpoint() as any
  const ids = new Set(
    storeIds.filter(([name]: [string]) => name.endsWith('.rows')).map(([, id]: [string, number]) => id),
  )
  return rows.filter(([key]: [Uint8Array]) => key[0] === 2 && ids.has(((key[1] as number) << 8) | (key[2] as number)))
    .length
}

describe('joins of tables of windows', () => {
  const hows = fc.constantFrom<How>('join', 'leftJoin', 'outerJoin')

  for (const kind of Object.keys(kinds) as Kind[]) {
    it(`${kind}, on close: give what those give that are suppressed until they close`, () => {
      fc.assert(
        fc.property(hows, steps, (how, all) => {
          const closed = run(
            joined(kind, how, (grouped) => texts(grouped.emit('close'))),
            all,
          )
          const held = run(
            joined(kind, how, (grouped) => texts(grouped).suppress(untilWindowCloses())),
            all,
          )
          assert.deepEqual(closed.out, held.out)
          // what was there of windows that are over is gone; those of the last two records are not
          assert.ok(closed.kept <= 12, `${closed.kept} rows are kept`)
          assert.ok(held.kept <= 12, `${held.kept} rows are kept`)
        }),
        { numRuns: runs },
      )
    })
  }

  for (const [kind, emit] of [
    ['session', 'update'],
    ['cumulative', 'update'],
    ['tumbling', 'onTime'],
  ] as const) {
    it(`${kind}, ${emit}: join the rows that have come out of both sides`, () => {
      fc.assert(
        fc.property(hows, steps, (how, all) => {
          const rows = (grouped: any) => texts(grouped.emit(emit))
          const kept = (grouped: any) => rows(grouped).mapValues((v: string) => v, { store: `kept-${++stores}` })
          let stores = 0
          assert.deepEqual(run(joined(kind, how, rows), all).out, run(joined(kind, how, kept), all).out)
        }),
        { numRuns: runs },
      )
    })
  }

  it('of windows that time does not end are refused, with the way out, which works', () => {
    const counted = (rows: (table: any) => any) => () => {
      const builder = new StreamsBuilder()
      const counts = (topic: string) =>
        rows(builder.stream(topic, serde).groupByKey().windowedBy(windows.count(2)).count({ store: topic }))
      counts('left')
        .join(counts('right'), (l: number, r: number) => `${l}-${r}`)
        .toStream()
        .to('out', { key: serdes.windowed(text), value: text })
      return builder.build()
    }
    const topology = counted((table) => table)
    assert.throws(topology, {
      code: 'DHAARA_TOPOLOGY',
      message: /found a table of count windows \('left-count-1'\).*mapValues\(\(v\) => v, \{store: /s,
    })
    let n = 0
    const way = counted((table) => table.mapValues((v: number) => v, { store: `rows-${++n}` }))
    using driver = new TopologyTestDriver(way())
    for (const topic of ['left', 'right']) driver.input(topic).send('x', { key: 'a', timestamp: 1 })
    assert.deepEqual(
      driver
        .output('out')
        .readAll()
        .map(({ value }) => value),
      ['1-1'],
    )
  })
})
