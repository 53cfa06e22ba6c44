import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NexmarkEvent } from '../../../bench/suites/nexmark/events.ts'
import { baseTime, defaultParams, nexmarkGenerator } from '../../../bench/suites/nexmark/generator.ts'
import { queries } from '../../../bench/suites/nexmark/queries/index.ts'
import type { Row } from '../../../bench/suites/nexmark/query.ts'
import { reference, siteOf } from '../../../bench/suites/nexmark/reference.ts'
import { runFile } from '../../../bench/suites/nexmark/run-file.ts'
import { sortedRows } from './rows-of.ts'

describe('Nexmark queries over a file', function () {
  this.timeout(60_000)
  let dir: string
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'dhaara-nexmark-file-'))
  })
  after(() => rmSync(dir, { recursive: true }))

  const next = nexmarkGenerator({ ...defaultParams, rate: 100 })
  // Late ones would be dropped if anything but the end of the file moved the watermark.
  const events = Array.from({ length: 2000 }, next).toReversed()
  const rowsIn = (path: string): Row[] =>
    readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Row)

  const run = async (name: string, text: string): Promise<Row[]> => {
    const input = join(dir, 'events.jsonl')
    const output = join(dir, 'rows.jsonl')
    writeFileSync(input, text)
    const count = await runFile(queries[name]!, { input, output, files: join(dir, 'files') })
    const rows = rowsIn(output)
    assert.equal(rows.length, count)
    return rows
  }

  for (const name of ['q5', 'q8', 'q10', 'q11', 'q19']) {
    it(`${name} prints the rows of its definition, though time runs backwards`, async () => {
      const rows = await run(name, events.map((event) => JSON.stringify(event)).join('\n'))
      assert.deepEqual(sortedRows(rows), sortedRows(reference[name]!(siteOf(events))))
    })
  }

  it('prints the declared columns alone, and takes kinds that are null for absent', async () => {
    const all = events.map((event) => {
      const one = { person: null, auction: null, bid: null, ...event }
      for (const kind of ['person', 'auction', 'bid'] as const)
        if (one[kind] !== null) Object.assign(one, { [kind]: { ...one[kind], surplus: 1 } })
      return `${JSON.stringify(one)}\r\n\r\n`
    })
    for (const name of ['q9', 'q18', 'q20']) {
      const rows = await run(name, all.join(''))
      assert.deepEqual(sortedRows(rows), sortedRows(reference[name]!(siteOf(events))))
    }
  })

  it('ends a line where JSON lines do, whatever a text has in it', async () => {
    const odd = events.map((event) =>
      'bid' in event ? { bid: { ...event.bid, extra: `c\u2028c\u2029c\u0085"\\\r\n${event.bid.price}` } } : event,
    )
    const rows = await run('q14', odd.map((event) => JSON.stringify(event)).join('\n'))
    assert.deepEqual(sortedRows(rows), sortedRows(reference['q14']!(siteOf(odd))))
  })

  it('reads events of any time, behind a byte order mark, with and without filler', async () => {
    const ahead = 4_102_444_800_000 - baseTime
    const later = events.map((event, i) => {
      if (!('bid' in event)) return event
      const { extra, ...bid } = { ...event.bid, dateTime: event.bid.dateTime + ahead }
      return { bid: i % 3 === 0 ? { ...bid, extra } : i % 3 === 1 ? { ...bid, extra: null } : bid } as NexmarkEvent
    })
    const filled = later.map((event) =>
      'bid' in event ? { bid: { ...event.bid, extra: event.bid.extra ?? null } } : event,
    )
    const text = `\ufeff${later.map((event) => JSON.stringify(event)).join('\n')}`
    for (const name of ['q14', 'q18', 'q20'])
      assert.deepEqual(sortedRows(await run(name, text)), sortedRows(reference[name]!(siteOf(filled))))
  })

  it('writes the files of q10 anew each time', async () => {
    const text = events.map((event) => JSON.stringify(event)).join('\n')
    const rows = await run('q10', text)
    await run('q10', text)
    const paths = new Set(rows.map(({ date, time }) => `${date as string}/${(time as string).replace(':', '-')}.jsonl`))
    const found = [...paths].flatMap((path) => rowsIn(join(dir, 'files', path)))
    assert.deepEqual(sortedRows(found), sortedRows(rows))
  })
})
