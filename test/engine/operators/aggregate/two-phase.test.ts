import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import {
  aggregators,
  count,
  latest,
  max,
  serdes,
  type StreamsBuilder,
  sum,
  topK,
  type Windows,
  windows,
} from '../../../../src/index.ts'
import { compile } from '../../../../src/engine/plan/compile.ts'
import { planOf } from '../../../../src/dsl/topology/plan-of.ts'
import { TopologyTestDriver } from '../../../../src/testing/index.ts'
import { numbers, plays, type Result, run, topologyOf } from '../topologies.ts'

const key = serdes.string()
const json = serdes.json()
const shape = () =>
  aggregators({
    n: count(),
    total: sum((n: number) => n),
    most: max((n: number) => n % 10),
    top: topK((n: number) => n % 3, 2),
    last: latest((n: number) => n),
  })

const byDigit = (builder: StreamsBuilder) => builder.stream('in0', numbers).groupBy((n) => `d${n % 3}`, { key })

/** The last value of each key. */
const lasts = (results: readonly Result[]) =>
  new Map(results.map(({ key, value, ts }) => [JSON.stringify(key), { value, ts }]))

describe('twoPhase', () => {
  it('leaves the rows that one phase leaves', () => {
    const topology = (twoPhase: boolean) =>
      topologyOf((builder) =>
        byDigit(builder).aggregate(shape(), { twoPhase }).toStream().to('out', { key, value: json }),
      )
    fc.assert(
      fc.property(plays(), fc.constantFrom(1, 3), (play, partitions) => {
        // ties of `latest` are by arrival, which several producers do not have in common
        const found = lasts(run(topology(true), play, partitions))
        const expected = lasts(run(topology(false), play, partitions))
        if (partitions === 1) assert.deepEqual(found, expected)
        else {
          assert.deepEqual(
            [...found]
              .map(([k, { value }]) => [k, (value as { n: number }).n, (value as { total: number }).total])
              .sort(),
            [...expected]
              .map(([k, { value }]) => [k, (value as { n: number }).n, (value as { total: number }).total])
              .sort(),
          )
        }
      }),
      { numRuns: 80 },
    )
  })

  const kinds: Record<string, () => Windows<'tumbling' | 'hopping' | 'cumulative'>> = {
    tumbling: () => windows.tumbling(10).grace(5),
    hopping: () => windows.hopping(12, { advance: 5 }).noGrace(),
    cumulative: () => windows.cumulative(12, { step: 4 }).grace(2),
  }
  for (const [kind, make] of Object.entries(kinds)) {
    it(`gives the same final rows of ${kind} windows, late records or not, whatever the batches`, () => {
      const topology = (twoPhase: boolean) =>
        topologyOf((builder) =>
          byDigit(builder)
            .windowedBy(make())
            .emit('close')
            .aggregate(shape(), { twoPhase })
            .toStream()
            .to('out', { key: serdes.windowed(key), value: json }),
        )
      fc.assert(
        fc.property(plays(), (play) => {
          assert.deepEqual(run(topology(true), play), run(topology(false), play))
        }),
        { numRuns: 60 },
      )
    })
  }

  it('sends a hot key once a slice', () => {
    const topology = topologyOf((builder) =>
      byDigit(builder).count({ twoPhase: true }).toStream().to('out', { key, value: json }),
    )
    const driver = new TopologyTestDriver(topology, { batchSize: 1000 })
    driver.input('in0').sendAll(Array.from({ length: 1000 }, (_, i) => ({ value: i, key: 'a', timestamp: i })))
    const rows = driver.output('out').readAll()
    assert.ok(rows.length < 20, `${rows.length} rows`)
    assert.deepEqual(
      new Map(rows.map(({ key: k, value }) => [k, value])),
      new Map([
        ['d0', 334],
        ['d1', 333],
        ['d2', 333],
      ]),
    ) // prettier-ignore
  })

  it('has one phase where two would not be the same', () => {
    const phases = (make: (builder: StreamsBuilder) => void) =>
      compile(planOf(topologyOf(make))).steps.filter(({ op }) => op.kind === 'partial').length
    const grouped = byDigit
    assert.equal(
      phases((b) => grouped(b).count({ twoPhase: true })),
      1,
    ) // prettier-ignore
    assert.equal(
      phases((b) => b.stream('in0', numbers).groupByKey().count({ twoPhase: true })),
      0,
    ) // prettier-ignore
    assert.equal(
      phases((b) => grouped(b).reduce((a, n) => a + n, { twoPhase: true })),
      0,
    ) // prettier-ignore
    assert.equal(
      phases((b) => grouped(b).reduce((a, n) => a + n, { twoPhase: true, associative: true })),
      1,
    ) // prettier-ignore
    assert.equal(
      phases((b) => grouped(b).windowedBy(windows.session(5).noGrace()).count({ twoPhase: true })),
      0,
    ) // prettier-ignore
    assert.equal(
      phases((b) => grouped(b).windowedBy(windows.sliding(5).noGrace()).count({ twoPhase: true })),
      0,
    ) // prettier-ignore
    assert.equal(
      phases((b) => grouped(b).windowedBy(windows.tumbling(5).noGrace()).lateTo('late').count({ twoPhase: true })),
      0,
    ) // prettier-ignore
  })
})
