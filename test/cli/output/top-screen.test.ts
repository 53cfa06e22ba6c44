import assert from 'node:assert/strict'
import { stripVTControlCharacters } from 'node:util'
import { screen } from '../../../src/cli/output/top-screen.ts'
import type { Tick } from '../../../src/http/live/types.ts'

const graph = {
  subs: [{ id: 0, name: 'orders' }],
  nodes: [
    {
      id: 0,
      name: 'a-name-of-a-step-'.repeat(8),
      kind: 'source',
      sub: 0,
      table: false,
      stores: [],
      topics: ['orders'],
    },
  ].map((node) => ({ ...node, passes: true })),
  edges: [],
}

const tick = (at: number, records: number): Tick => ({
  at,
  state: 'running',
  upMs: at,
  recordsIn: records,
  recordsOut: records,
  steps: [{ id: 0, in: records, out: records, busyMs: at * 0.7, dropped: { late: 999_960 } }],
  tasks: [],
  inputs: [{ topic: 'orders', partition: 0, position: records, end: records + 999_700 }],
  stores: [],
  latency: { count: 1, p50: 1, p99: 2, p999: 3, max: 4 },
  checkpoints: { count: 1, ms: 1, maxMs: 1, bytes: 1 },
  process: { cpu: 1, rssBytes: 1e9, heapBytes: 1e6, loopMs: 0 },
  errors: { count: 0, kinds: 0 },
})

describe('what dhaara top shows', () => {
  it('says numbers that are rounded up to the next unit in it', () => {
    const text = screen('shop', graph, tick(0, 0), tick(1000, 999_999), { columns: 140, rows: 40, colour: false })
    assert.doesNotMatch(text, /e\+/)
    assert.match(text, /in 1\.00M\/s/)
    assert.match(text, /orders\/0 +1\.00M/)
  })

  it('has no line that is wider than the terminal, with colours or without', () => {
    for (const columns of [60, 80])
      for (const colour of [false, true]) {
        const text = screen('shop', graph, tick(0, 0), tick(1000, 999_999), { columns, rows: 24, colour })
        const lines = text.split('\n')
        assert.ok(lines.length <= 24)
        for (const line of lines) assert.ok(stripVTControlCharacters(line).length <= columns, line)
        // no colour goes on into the next line
        if (colour) for (const line of lines) assert.equal(line.match(/\u001B\[\d+m/g)?.length ?? 0, paired(line), line)
      }
  })
})

/** How many colours there are if each that begins ends. */
const paired = (line: string): number => 2 * (line.match(/\u001B\[(?:39|22)m/g)?.length ?? 0)
