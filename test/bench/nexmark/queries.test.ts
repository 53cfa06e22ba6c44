import assert from 'node:assert/strict'
import { queries } from '../../../bench/suites/nexmark/queries/index.ts'
import { defaultParams, nexmarkGenerator } from '../../../bench/suites/nexmark/generator.ts'
import { reference, siteOf } from '../../../bench/suites/nexmark/reference.ts'
import type { NexmarkEvent } from '../../../bench/suites/nexmark/events.ts'
import { rowsOf, sortedRows } from './rows-of.ts'

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

describe('Nexmark queries', function () {
  this.timeout(60_000)
  // q23's rows grow with the square of its events.
  const all = disordered(eventsOf(2500, 60))

  for (const [name, expected] of Object.entries(reference)) {
    it(`${name} gives the rows of its definition`, () => {
      const events = name === 'q23' ? all.slice(0, 1000) : all
      const rows = sortedRows(expected(siteOf(events)))
      assert.ok(rows.length > 0, 'the reference has no row')
      assert.deepEqual(sortedRows(rowsOf(name, events, { ordered: true })), rows)
      assert.deepEqual(sortedRows(rowsOf(name, events, { partitions: 3, ordered: true })), rows)
    })
  }

  it('q12 counts every bid once, whatever the clock says', () => {
    const rows = rowsOf('q12', all, { partitions: 2, ordered: true })
    const counted = rows.reduce((sum, row) => sum + (row['bidCount'] as number), 0)
    assert.equal(counted, siteOf(all).bids.length)
  })

  it('are all here', () => {
    assert.deepEqual(
      Object.keys(queries),
      Array.from({ length: 24 }, (_, i) => `q${i}`),
    )
  })
})
