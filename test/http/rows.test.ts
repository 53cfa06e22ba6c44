import assert from 'node:assert/strict'
import { start } from '../engine/query/apps.ts'
import { servedApp } from './served.ts'

const hour = 3_600_000

describe('rows over HTTP', () => {
  const served = servedApp()
  const store = (name: string, query: Record<string, unknown> = {}, what = 'rows') => {
    const params = Object.entries(query).map(([key, value]) => [key, String(value)] as [string, string])
    return served.json(`/api/stores/${name}/${what}?${new URLSearchParams(params)}`)
  }
  const rows = async (scan: AsyncIterable<readonly [unknown, unknown]>) => {
    const all: unknown[] = []
    for await (const [key, value] of scan) all.push({ key, value })
    return all
  }

  it('shows stores by key, range and prefix', async () => {
    const sums = served.app.store('sums')
    assert.deepEqual(await store('sums'), { rows: await rows(sums.all()) })
    assert.deepEqual(await store('sums', { key: '"s3"' }, 'row'), { key: 's3', value: await sums.get('s3') })
    assert.deepEqual(await store('places', { prefix: '["Goa"]' }), {
      rows: await rows(served.app.store('places').prefix(['Goa'])),
    })
    assert.deepEqual(await store('sums', { from: '"s2"', to: '"s4"', reverse: true, isolation: 'latest' }), {
      rows: (await rows(sums.range('s2', 's4'))).toReversed(),
    })
    assert.deepEqual(await store('sums', {}, 'count'), { count: 7 })
    assert.deepEqual(await store('ids', { key: '"s6"' }, 'row'), {
      key: 's6',
      value: await served.app.store('ids').get('s6'),
    })
    assert.deepEqual(await store('cities', { key: '{"city":"Goa"}' }, 'row'), { key: { city: 'Goa' }, value: 29 })
    const several = await fetch(`${served.url}/api/stores/sums/rows`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ keys: ['s1', 'nobody', 's2'] }),
    })
    assert.deepEqual(await several.json(), { values: [await sums.get('s1'), null, await sums.get('s2')] })
  })

  it('shows windows of a key, and of a stretch of time', async () => {
    const hours = served.app.store('hours')
    assert.deepEqual(await store('hours', { key: '"s3"', from: start, to: start + hour }, 'windows'), {
      rows: await rows(hours.fetch('s3', start, start + hour)),
    })
    const at = new Date(start).toISOString()
    assert.deepEqual(await store('hours', { from: at, to: at }, 'windows'), {
      rows: await rows(hours.fetchAll(start, start)),
    })
    assert.deepEqual(await store('visits', { key: '"s3"', limit: 1000 }, 'windows'), {
      rows: await rows(served.app.store('visits').sessions('s3')),
    })
  })

  it('goes on page by page', async () => {
    const paged: unknown[] = []
    let cursor: string | undefined
    do {
      const page = (await store('sums', { limit: 3, ...(cursor === undefined ? {} : { cursor }) })) as {
        rows: unknown[]
        cursor?: string
      }
      paged.push(...page.rows)
      cursor = page.cursor
    } while (cursor !== undefined)
    assert.deepEqual(paged, await rows(served.app.store('sums').all()))
  })

  it('gives rows as lines of JSON and as CSV', async () => {
    const lines = await served.get('/api/stores/hours/rows', { accept: 'application/x-ndjson' })
    assert.equal(lines.headers.get('content-type'), 'application/x-ndjson')
    const text = await lines.text()
    assert.deepEqual(
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
      await rows(served.app.store('hours').all()),
    )
    const csv = await served.get('/api/stores/hours/rows?limit=2', { accept: 'text/html;q=0.1, text/csv' })
    assert.match(csv.headers.get('content-type') ?? '', /^text\/csv/)
    assert.ok(csv.headers.get('x-cursor'))
    const iso = (at: number) => new Date(at).toISOString()
    assert.equal(
      await csv.text(),
      `key,window start,window end,value\ns0,${iso(start)},${iso(start + hour)},15\ns1,${iso(start)},${iso(start + hour)},15\n`,
    )
  })

  it('gives rows in the type that is wanted most', async () => {
    const [json, lines, csv] = ['application/json', 'application/x-ndjson', 'text/csv']
    for (const [accept, type] of [
      ['', json],
      ['*/*', json],
      ['application/*', json],
      ['text/*', csv],
      ['text/csv, application/json', csv],
      ['application/json;q=0.5, text/csv;Q=0.9', csv],
      ['text/html, */*;q=0.1', json],
      // the more specific range decides
      ['*/*, application/json;q=0', lines],
      ['application/*;q=0, text/*;q=0.1', csv],
      ['*/*, text/csv', csv],
      ['*/*;q=0.9, text/csv;q=0.5', json],
    ] as const)
      assert.equal(
        (await served.get('/api/stores/sums/rows', { accept })).headers.get('content-type')?.split(';')[0],
        type,
      )
    for (const accept of ['text/html', 'text/csv;q=0', '*/*;q=0, image/png'])
      assert.equal((await served.get('/api/stores/sums/rows', { accept })).status, 406, accept)
  })

  it('lets go of rows that nobody takes any more', async () => {
    const leaving = new AbortController()
    const response = await fetch(`${served.url}/api/stores/sliding/rows`, {
      headers: { accept: 'application/x-ndjson' },
      signal: leaving.signal,
    })
    const reader = response.body?.getReader()
    await reader?.read()
    leaving.abort()
    assert.equal((await served.get('/livez')).status, 200)
  })
})
