import assert from 'node:assert/strict'
import { eventsTopic, type Row, rowsTopic } from '../../../bench/suites/nexmark/query.ts'
import { queries } from '../../../bench/suites/nexmark/queries/index.ts'
import { defaultParams, nexmarkGenerator } from '../../../bench/suites/nexmark/generator.ts'
import { reference, siteOf } from '../../../bench/suites/nexmark/reference.ts'
import { StandingRows } from '../../../bench/suites/nexmark/rows.ts'
import { topologyOf } from '../../../bench/suites/nexmark/topology.ts'
import type { NexmarkEvent } from '../../../bench/suites/nexmark/events.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'

function eventsOf(count: number, rate: number): NexmarkEvent[] {
  const next = nexmarkGenerator({ ...defaultParams, rate })
  return Array.from({ length: count }, next)
}

/** Some events trade places with one up to 20 places on: at 60 events a second, a third of a second. */
function disordered(events: readonly NexmarkEvent[]): NexmarkEvent[] {
  const out = [...events]
  for (let i = 0; i + 20 < out.length; i += 7) [out[i], out[i + 13]] = [out[i + 13]!, out[i]!]
  return out
}

function rowsOf(name: string, events: readonly NexmarkEvent[], partitions: number): Row[] {
  const query = queries[name]!
  using driver = new TopologyTestDriver(topologyOf(query), { partitions, batchSize: 97 })
  const side = query.sideInput
  if (side !== undefined) driver.input(side.topic).sendAll(side.values.map((value, key) => ({ value, key })))
  const input = driver.input(eventsTopic)
  events.forEach((event, i) => {
    input.send(event)
    if (i === events.length >> 1) {
      driver.checkpoint()
      driver.crash()
    }
  })
  driver.end()
  const rows = new StandingRows(query)
  for (const { key, value } of driver.output(rowsTopic).readAll()) rows.add(JSON.stringify(key), value)
  return [...rows]
}

/** Rows as text with sorted columns, sorted. */
const sorted = (rows: readonly Row[]): string[] =>
  rows.map((row) => JSON.stringify(Object.fromEntries(Object.entries(row).toSorted()))).toSorted()

describe('Nexmark queries', function () {
  this.timeout(60_000)
  const events = disordered(eventsOf(2500, 60))

  for (const [name, expected] of Object.entries(reference)) {
    it(`${name} gives the rows of its definition`, () => {
      const rows = sorted(expected(siteOf(events)))
      assert.ok(rows.length > 0, 'the reference has no row')
      assert.deepEqual(sorted(rowsOf(name, events, 1)), rows)
      assert.deepEqual(sorted(rowsOf(name, events, 3)), rows)
    })
  }

  it('q12 counts every bid once, whatever the clock says', () => {
    const rows = rowsOf('q12', events, 2)
    const counted = rows.reduce((sum, row) => sum + (row['bidCount'] as number), 0)
    assert.equal(counted, siteOf(events).bids.length)
  })

  it('are all here', () => {
    assert.deepEqual(
      Object.keys(queries),
      Array.from({ length: 24 }, (_, i) => `q${i}`),
    )
  })
})
