import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readSavepoint } from '../../src/engine/app/state/savepoint.ts'
import { apps, type Running, readings, start } from '../engine/query/apps.ts'

const hour = 3_600_000

describe('an app over HTTP', () => {
  const running = apps()
  let app: Running
  let url = ''
  before(async function () {
    this.timeout(30_000)
    app = await running({ http: { port: 0 } })
    url = app.app.httpUrl ?? ''
    await app.send(readings(100))
    await app.until(async () => (await app.app.store('places').get(['Pune', 's0'])) === 15)
  })
  const get = (path: string, headers: Record<string, string> = {}) => fetch(`${url}${path}`, { headers })
  const json = async (path: string): Promise<unknown> => {
    const response = await get(path)
    const body = await response.text()
    assert.equal(response.status, 200, body)
    return JSON.parse(body)
  }
  const store = (name: string, query: Record<string, unknown> = {}, what = 'rows') => {
    const params = Object.entries(query).map(([key, value]) => [key, String(value)] as [string, string])
    return json(`/api/stores/${name}/${what}?${new URLSearchParams(params)}`)
  }
  const rows = async (scan: AsyncIterable<readonly [unknown, unknown]>) => {
    const all: unknown[] = []
    for await (const [key, value] of scan) all.push({ key, value })
    return all
  }

  it('listens on this machine alone', () => assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/))

  it('shows stores by key, range and prefix', async () => {
    const sums = app.app.store('sums')
    assert.deepEqual(await store('sums'), { rows: await rows(sums.all()) })
    assert.deepEqual(await store('sums', { key: '"s3"' }, 'row'), { key: 's3', value: await sums.get('s3') })
    assert.deepEqual(await store('places', { prefix: '["Goa"]' }), {
      rows: await rows(app.app.store('places').prefix(['Goa'])),
    })
    assert.deepEqual(await store('sums', { from: '"s2"', to: '"s4"', reverse: true, isolation: 'latest' }), {
      rows: (await rows(sums.range('s2', 's4'))).toReversed(),
    })
    assert.deepEqual(await store('sums', {}, 'count'), { count: 7 })
    assert.deepEqual(await store('ids', { key: '"s6"' }, 'row'), {
      key: 's6',
      value: await app.app.store('ids').get('s6'),
    })
    assert.deepEqual(await store('cities', { key: '{"city":"Goa"}' }, 'row'), { key: { city: 'Goa' }, value: 29 })
    const several = await fetch(`${url}/api/stores/sums/rows`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ keys: ['s1', 'nobody', 's2'] }),
    })
    assert.deepEqual(await several.json(), { values: [await sums.get('s1'), null, await sums.get('s2')] })
  })

  it('shows windows of a key, and of a stretch of time', async () => {
    const hours = app.app.store('hours')
    assert.deepEqual(await store('hours', { key: '"s3"', from: start, to: start + hour }, 'windows'), {
      rows: await rows(hours.fetch('s3', start, start + hour)),
    })
    const at = new Date(start).toISOString()
    assert.deepEqual(await store('hours', { from: at, to: at }, 'windows'), {
      rows: await rows(hours.fetchAll(start, start)),
    })
    assert.deepEqual(await store('visits', { key: '"s3"', limit: 1000 }, 'windows'), {
      rows: await rows(app.app.store('visits').sessions('s3')),
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
    assert.deepEqual(paged, await rows(app.app.store('sums').all()))
  })

  it('gives rows as lines of JSON and as CSV', async () => {
    const lines = await get('/api/stores/hours/rows', { accept: 'application/x-ndjson' })
    assert.equal(lines.headers.get('content-type'), 'application/x-ndjson')
    const text = await lines.text()
    assert.deepEqual(
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
      await rows(app.app.store('hours').all()),
    )
    const csv = await get('/api/stores/hours/rows?limit=2', { accept: 'text/html;q=0.1, text/csv' })
    assert.match(csv.headers.get('content-type') ?? '', /^text\/csv/)
    assert.ok(csv.headers.get('x-cursor'))
    const iso = (at: number) => new Date(at).toISOString()
    assert.equal(
      await csv.text(),
      `key,window start,window end,value\ns0,${iso(start)},${iso(start + hour)},15\ns1,${iso(start)},${iso(start + hour)},15\n`,
    )
  })

  it('shows what the app is and does', async () => {
    const about = (await json('/api/app')) as Record<string, unknown>
    assert.deepEqual([about['applicationId'], about['state']], ['stores', 'running'])
    const stores = (await json('/api/stores')) as { name: string; kind: string; partitions: number }[]
    assert.deepEqual(
      stores.find(({ name }) => name === 'visits'),
      { name: 'visits', kind: 'window', partitions: 3, indexes: [] },
    )
    const tasks = (await json('/api/tasks')) as { id: string; stores: string[] }[]
    assert.ok(tasks.some((task) => task.id === '0_2' && task.stores.includes('sums')))
    const topics = (await json('/api/topics')) as { name: string; partitions: { end: number; position?: number }[] }[]
    const inputs = topics.find(({ name }) => name === 'readings')?.partitions
    assert.deepEqual(
      inputs?.map(({ position }) => position),
      inputs?.map(({ end }) => end),
    )
    const checkpoints = (await json('/api/checkpoints')) as { epoch: number }[]
    assert.ok(checkpoints.length > 0)
    assert.match(await (await get('/api/topology?format=mermaid')).text(), /^(flowchart|graph) /)
    assert.ok(JSON.stringify(await json('/api/topology')).includes('"hours"'))
    assert.deepEqual(await json('/livez'), { status: 'ok', state: 'running' })
    assert.deepEqual(await json('/readyz'), { status: 'ok', state: 'running' })
  })

  it('has metrics for Prometheus', async () => {
    const response = await get('/metrics')
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
    const text = await response.text()
    assert.match(text, /^dhaara_records_in_total\{app="stores"\} 100$/m)
    assert.match(text, /^dhaara_running\{app="stores"\} 1$/m)
    assert.match(text, /^dhaara_input_lag_records\{topic="readings",partition="0",app="stores"\} 0$/m)
    assert.match(text, /^dhaara_checkpoint_seconds_count\{app="stores"\} [1-9]/m)
    assert.match(text, /^dhaara_watermark_timestamp_seconds\{app="stores"\} \d+/m)
    assert.match(text, /^process_cpu_seconds_total/m)
  })

  const wrong: readonly [what: string, path: string, status: number, says: RegExp, accept?: string][] = [
    ['an unknown path', '/api/nothing', 404, /There is no GET \/api\/nothing; \/openapi\.json lists/],
    ['an unknown store', '/api/stores/sum/rows', 404, /there is no store 'sum'; the topology has: .*sums/],
    ['a key without a row', '/api/stores/sums/row?key=%22x%22', 404, /has no row of this key/],
    ['a key that is no JSON', '/api/stores/sums/row?key=s1', 400, /Found key=s1, which is no JSON; .*"s1"/],
    ['a key that is missing', '/api/stores/sums/row', 400, /required property 'key'/],
    ['a path in a store’s name', '/api/stores/..%2f..%2fetc/rows', 404, /there is no store '\.\.\/\.\.\/etc'/],
    ['an unknown parameter', '/api/stores/sums/rows?limt=1', 400, /must NOT have additional properties/],
    ['no number', '/api/stores/sums/rows?limit=many', 400, /limit must be integer/],
    ['a limit out of range', '/api/stores/sums/rows?limit=0', 400, /limit must be >= 1/],
    ['a huge limit', '/api/stores/sums/rows?limit=1e30', 400, /limit must be <= 1000000000/],
    ['a time that is none', '/api/stores/hours/windows?from=noon', 400, /Found from=noon; expected epoch milliseconds/],
    ['a time that no clock has', `/api/stores/hours/windows?to=${2 ** 53}`, 400, /Found to=9007199254740992; expected/],
    ['a time before all', '/api/stores/hours/windows?from=-1', 400, /Found from=-1; expected/],
    ['a date in words', '/api/stores/hours/windows?from=May%201', 400, /Found from=May 1; expected/],
    ['a range of windows', '/api/stores/hours/rows?from=1', 400, /'hours' cannot be asked for range/],
    ['a prefix and a range', '/api/stores/sums/rows?from=1&prefix=2', 400, /a prefix and a range/],
    ['a cursor that is none', '/api/stores/sums/rows?cursor=AAAA', 400, /no cursor/],
    ['a cursor that is none, of lines', '/api/stores/sums/rows?cursor=AAAA', 400, /no cursor/, 'application/x-ndjson'],
    ['a type that is not there', '/api/stores/sums/rows', 406, /rows are there as application\/json, /, 'image/png'],
  ]
  for (const [what, path, status, says, accept] of wrong) {
    it(`answers ${what} with a problem`, async () => {
      const response = await get(path, accept === undefined ? {} : { accept })
      const problem = (await response.json()) as Record<string, unknown>
      assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/)
      assert.match(String(problem['detail']), says)
      assert.deepEqual([response.status, problem['status']], [status, status])
      assert.ok(problem['type'] && problem['title'])
    })
  }

  it('refuses bodies that are too large or no JSON', async () => {
    const post = (body: string) =>
      fetch(`${url}/api/stores/sums/rows`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    assert.equal((await post('{"keys":')).status, 400)
    assert.equal((await post(`{"keys":["${'x'.repeat(1 << 20)}"]}`)).status, 413)
    assert.equal((await post(JSON.stringify({ keys: Array.from({ length: 10_001 }, () => 1) }))).status, 400)
    assert.equal((await post('{"keys":[],"more":1}')).status, 400)
  })

  it('takes no text in a body for a number, and no null for a text', async () => {
    const post = (path: string, body: unknown) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    for (const [path, body, why] of [
      ['/api/dead-letters/drop', { offsets: ['1'] }, /offsets\/0 must be integer/],
      ['/api/dead-letters/drop', { message: null }, /message must be string/],
      ['/api/savepoints', { folder: 1 }, /folder must be string/],
      ['/api/stores/sums/rows', { keys: 's1' }, /keys must be array/],
    ] as const) {
      const response = await post(path, body)
      assert.equal(response.status, 400)
      assert.match(((await response.json()) as { detail: string }).detail, why)
    }
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
      assert.equal((await get('/api/stores/sums/rows', { accept })).headers.get('content-type')?.split(';')[0], type)
    for (const accept of ['text/html', 'text/csv;q=0', '*/*;q=0, image/png'])
      assert.equal((await get('/api/stores/sums/rows', { accept })).status, 406, accept)
  })

  it('answers what is no request by a problem too', async () => {
    const answerTo = async (text: string): Promise<string> => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1')
      socket.write(text)
      let answer = ''
      for await (const chunk of socket) answer += String(chunk)
      return answer
    }
    const bad = await get('/api/%zz')
    assert.equal(bad.status, 400)
    assert.match(bad.headers.get('content-type') ?? '', /^application\/problem\+json/)
    const post = await fetch(`${url}/api/stores/sums/rows`, { method: 'POST', body: '{"keys":[]}' })
    assert.deepEqual([post.status, ((await post.json()) as { title: string }).title], [415, 'Unsupported Media Type'])
    for (const [text, status] of [
      [`GET /livez?${'x'.repeat(20_000)} HTTP/1.1\r\nhost: localhost\r\n\r\n`, 431],
      ['GET\r\n\r\n', 400],
      ['GET / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n', 400],
    ] as const) {
      const answer = await answerTo(text)
      assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `))
      assert.match(answer, /content-type: application\/problem\+json/)
      assert.equal((JSON.parse(answer.slice(answer.indexOf('{'))) as { status: number }).status, status)
    }
  })

  it('tells which methods a path takes', async () => {
    for (const [method, path, allow] of [
      ['DELETE', '/api/stores/sums/rows', 'GET, HEAD, POST'],
      ['PUT', '/api/dead-letters/drop?x=1', 'POST'],
      ['POST', '/livez', 'GET, HEAD'],
      ['QUERY', '/api/app', 'GET, HEAD'],
    ] as const) {
      const response = await fetch(`${url}${path}`, { method })
      assert.deepEqual([response.status, response.headers.get('allow')], [405, allow])
      assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/)
      assert.match(
        ((await response.json()) as { detail: string }).detail,
        new RegExp(`There is no ${method} .* it takes`),
      )
    }
    assert.equal((await fetch(`${url}/api/stores/sums`, { method: 'DELETE' })).status, 404)
  })

  it('documents keys as the JSON that they are, and bodies as closed', async () => {
    const { paths } = (await json('/openapi.json')) as {
      paths: Record<string, Record<string, { parameters: { name: string; content?: object }[]; requestBody?: object }>>
    }
    const { parameters } = paths['/api/stores/{store}/row']?.['get'] ?? { parameters: [] }
    assert.deepEqual(parameters.find(({ name }) => name === 'key')?.content, { 'application/json': { schema: {} } })
    const bodies = Object.values(paths).flatMap(({ post }) =>
      post === undefined ? [] : [JSON.stringify(post.requestBody)],
    )
    assert.ok(bodies.length >= 4)
    for (const body of bodies) assert.match(body, /"additionalProperties":false/)
  })

  it('does not answer to other names', async () => {
    const { promise, resolve } = Promise.withResolvers<number | undefined>()
    request(`${url}/api/stores`, { headers: { host: 'evil.example' } }, (response) => {
      response.resume()
      resolve(response.statusCode)
    }).end()
    assert.equal(await promise, 403)
  })

  it('lets go of rows that nobody takes any more', async () => {
    const leaving = new AbortController()
    const response = await fetch(`${url}/api/stores/sliding/rows`, {
      headers: { accept: 'application/x-ndjson' },
      signal: leaving.signal,
    })
    const reader = response.body?.getReader()
    await reader?.read()
    leaving.abort()
    assert.equal((await get('/livez')).status, 200)
  })

  it('tells rows and their changes as events', async () => {
    const other = await running({ http: { port: 0 } })
    await other.send(readings(7))
    const response = await fetch(`${other.app.httpUrl}/api/stores/sums/changes?key=%22s1%22`)
    assert.equal(response.headers.get('content-type'), 'text/event-stream')
    let text = ''
    const decoder = new TextDecoder()
    const read = (async () => {
      for await (const chunk of response.body as AsyncIterable<Uint8Array>)
        text += decoder.decode(chunk, { stream: true })
    })()
    await other.until(() => text.includes('"value":1,'))
    await other.send(readings(7, 7))
    await other.until(() => text.includes('"value":9,'))
    await other.app.close()
    // the connection goes with the app
    await read.catch(() => {})
    const events = text.split('\n').filter((line) => line.startsWith('data: '))
    assert.deepEqual(
      events.map((line) => JSON.parse(line.slice(6)) as unknown),
      [
        { key: 's1', value: 1, timestamp: start + 30_000 },
        { key: 's1', value: 9, timestamp: start + 8 * 30_000 },
      ],
    )
    for (const [path, status] of [
      ['sum/changes', 404],
      ['last/changes?prefix=%22a%22', 400],
      ['sums/changes?key=s1', 400],
      ['sums/changes?key=1&prefix=2', 400],
    ] as const)
      assert.equal((await get(`/api/stores/${path}`)).status, status)
  }).timeout(30_000)

  it('wants its token, where it has one', async () => {
    const other = await running({ http: { token: 'secret', port: 0 } })
    const at = other.app.httpUrl ?? ''
    const status = async (path: string, authorization?: string) =>
      (await fetch(at + path, { headers: authorization === undefined ? {} : { authorization } })).status
    assert.equal(await status('/api/stores'), 401)
    assert.equal(await status('/metrics'), 401)
    assert.equal(await status('/openapi.json', 'Bearer secre'), 401)
    assert.equal(await status('/api/stores', 'Basic secret'), 401)
    assert.equal(await status('/api/stores', 'Bearer secret'), 200)
    assert.equal(await status('/livez'), 200)
    await other.app.close()
    await assert.rejects(fetch(`${at}/livez`))
  })

  it('says where it cannot listen', async () => {
    const port = Number(new URL(url).port)
    await assert.rejects(running({ http: { port } }), {
      code: 'DHAARA_OPTION',
      message: /http cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/,
    })
  })
})

describe('a savepoint over HTTP', () => {
  const running = apps()
  const folder = mkdtempSync(join(tmpdir(), 'dhaara-http-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  const make = (url: string, path: string) =>
    fetch(`${url}/api/savepoints`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ folder: path }),
    })

  it('is made where the server may, once', async () => {
    const { app, send, until } = await running({ http: { port: 0, admin: true } })
    await send(readings(50))
    await until(async () => (await app.store('places').count()) === 7)
    const path = join(folder, 'one')
    const answer = await make(app.httpUrl as string, path)
    const body = (await answer.json()) as { readonly rows: number; readonly app: string }
    assert.deepEqual([answer.status, body.app], [200, 'stores'])
    assert.equal(
      readSavepoint(path).stores.reduce((sum, { files }) => files.reduce((n, { rows }) => n + rows, sum), 0),
      body.rows,
    )
    const again = await make(app.httpUrl as string, path)
    assert.equal(again.status, 409)
    assert.match(((await again.json()) as { readonly detail: string }).detail, /choose one that does not exist/)
  }).timeout(30_000)

  it('is refused elsewhere', async () => {
    const { app } = await running({ http: { port: 0 } })
    const answer = await make(app.httpUrl as string, join(folder, 'two'))
    assert.equal(answer.status, 403)
    assert.match(((await answer.json()) as { readonly detail: string }).detail, /give it http: \{admin: true\}/)
  }).timeout(30_000)
})
