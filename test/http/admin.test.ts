import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import { customers, shop } from './shop.ts'

type Shop = Awaited<ReturnType<typeof shop>>

/** So that these records, the last sent, are in the stores. */
async function settled({ url }: Shop): Promise<string> {
  const topics = (await (await fetch(`${url}/api/topics`)).json()) as { name: string; partitions: { end: number }[] }[]
  const ends = topics.find(({ name }) => name === 'customers')?.partitions ?? []
  const last = ends.flatMap(({ end }, p) => (end > 0 ? [[p, end - 1] as const] : []))
  const minPosition = JSON.stringify({ customers: Object.fromEntries(last) })
  const response = await fetch(`${url}/api/stores/customers/count?${new URLSearchParams({ minPosition })}`)
  assert.equal(response.status, 200, await response.clone().text())
  return minPosition
}

describe('an app over HTTP, with its tables, letters and pages', () => {
  let app: Shop
  before(async function () {
    this.timeout(30_000)
    app = await shop({ port: 0, admin: true })
    await app.send(customers(20_000))
    await settled(app)
  })
  after(() => app[Symbol.asyncDispose]())
  const json = async <T>(path: string, init?: RequestInit): Promise<T> => {
    const response = await fetch(`${app.url}${path}`, init)
    const body = await response.text()
    assert.equal(response.status, 200, body)
    return JSON.parse(body) as T
  }

  it('gives a table as Arrow, whole, by columns of its types', async () => {
    const response = await fetch(`${app.url}/api/stores/customers/rows`, {
      headers: { accept: 'application/vnd.apache.arrow.stream' },
    })
    assert.equal(response.headers.get('content-type'), 'application/vnd.apache.arrow.stream')
    const table = tableFromIPC(new Uint8Array(await response.arrayBuffer()))
    assert.deepEqual(
      table.schema.fields.map(({ name, type }) => `${name}: ${type}`),
      ['key: Utf8', 'name: Utf8', 'city: Utf8', 'age: Float64', 'since: Float64', 'rest: Utf8'],
    )
    const expected = customers(20_000).toSorted((a, b) => (a.name < b.name ? -1 : 1))
    assert.deepEqual(
      table.toArray().map((row) => row.toJSON()),
      expected.map((one) => ({ key: one.name, ...one, rest: null })),
    )
  }).timeout(30_000)

  it('finds rows by an index, and counts them by estimate', async () => {
    const rows = customers(20_000).filter(({ city }) => city === 'Goa')
    const found = await json<{ rows: { key: string }[]; cursor: string }>(
      '/api/stores/customers/by/byCity?value=%22Goa%22&limit=10000',
    )
    assert.deepEqual(
      found.rows.map(({ key }) => key),
      rows.map(({ name }) => name).toSorted(),
    )
    assert.deepEqual(await json('/api/stores/customers/count?estimate=true'), { count: 20_000 })
    const wrong = await fetch(`${app.url}/api/stores/customers/by/byName?value=1`)
    assert.equal(wrong.status, 400)
    assert.match(((await wrong.json()) as { detail: string }).detail, /it has byCity/)
  }).timeout(30_000)

  it('waits for positions, and refuses what is none', async () => {
    for (const minPosition of ['{"customers":[1]}', '{"customers":{"a":1}}', '{"customers":{"0":-1}}', '[]', '{'])
      assert.equal(
        (await fetch(`${app.url}/api/stores/customers/rows?${new URLSearchParams({ minPosition })}`)).status,
        400,
      )
    const other = await fetch(
      `${app.url}/api/stores/customers/rows?${new URLSearchParams({ minPosition: '{"x":{"0":1}}' })}`,
    )
    assert.match(((await other.json()) as { detail: string }).detail, /no input; inputs are: customers/)
  })

  it('shows dead letters with their reason, and replays and drops them', async () => {
    const nobody = { name: 'nobody', city: 'Pune', age: 1, since: 0 }
    await app.send([nobody, nobody])
    await settled(app)
    interface Letter {
      offset: number
      message: string
      value: unknown
      headers: unknown
      stack: string
    }
    const { letters, admin } = await json<{ letters: Letter[]; admin: boolean }>('/api/dead-letters')
    assert.equal(admin, true)
    assert.equal(letters.length, 2)
    for (const { message, value, headers, stack } of letters) {
      assert.match(message, /nobody is no customer/)
      assert.match(stack, /http\/shop\.ts:\d+/)
      assert.deepEqual([value, headers], [nobody, { from: 'test' }])
    }
    const post = (what: string, body: object) =>
      json(`/api/dead-letters/${what}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    const [last, first] = letters.map(({ offset }) => offset)
    assert.deepEqual(await post('drop', { offsets: [first] }), { done: 1, refused: [] })
    assert.deepEqual(await post('replay', { step: 'known' }), { done: 1, refused: [] })
    assert.deepEqual(await post('replay', { offsets: [first, last] }), {
      done: 0,
      refused: [
        { offset: first, why: 'it was dropped before' },
        { offset: last, why: 'it was replayed before' },
      ],
    })
    await settled(app)
    const again = await json<{ letters: { headers: Record<string, string> }[] }>('/api/dead-letters')
    assert.deepEqual(
      again.letters.map(({ headers }) => headers['dhaara-replayed']),
      [`shop-dead-letters/${last}`],
    )
    const kinds = await json<{ count: number; step: string; action: string }[]>('/api/errors')
    assert.deepEqual(
      kinds.map(({ count, step, action }) => [count, step, action]),
      [[3, 'known', 'deadLetter']],
    )
  })

  it('shows the records of topics as the topology reads them', async () => {
    const { records } = await json<{ records: { partition: number; offset: number; key: string; value: unknown }[] }>(
      '/api/topics/customers/records?partition=0&from=3&limit=2',
    )
    assert.deepEqual(
      records.map(({ partition, offset }) => [partition, offset]),
      [
        [0, 3],
        [0, 4],
      ],
    )
    for (const { key, value } of records) assert.equal((value as { name: string }).name, key)
    assert.equal((await fetch(`${app.url}/api/topics/customers/records?partition=7`)).status, 404)
    assert.equal((await fetch(`${app.url}/api/topics/nothing/records`)).status, 404)
  })

  it('tells how steps are, each second, beginning with the past', async () => {
    const response = await fetch(`${app.url}/api/live`)
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    let text = ''
    for (; text.split('event: tick').length < 4; ) {
      const { value } = await reader.read()
      text += new TextDecoder().decode(value)
    }
    await reader.cancel()
    assert.match(text, /^: events\n\nevent: history\ndata: \[/)
    const now = await json<{ steps: { id: number; in: number; out: number }[]; stores: object[] }>('/api/now')
    const graph = await json<{ nodes: { id: number; name: string }[] }>('/api/graph')
    const step = (name: string) => now.steps.find(({ id }) => id === graph.nodes.find((node) => node.name === name)?.id)
    assert.equal(step('customers')?.in, 20_003)
    assert.equal(step('known')?.in, 20_003)
    assert.deepEqual(now.stores, [{ name: 'customers', rows: 20_000 }])
  }).timeout(30_000)

  it('serves the console with a policy that lets nothing out, and nothing but its files', async () => {
    const page = await fetch(`${app.url}/`)
    const html = await page.text()
    assert.equal(page.status, 200, html)
    assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'.*connect-src 'self'/)
    const script = /src="\.\/(assets\/[\w.-]+\.js)"/.exec(html)?.[1] as string
    const asset = await fetch(`${app.url}/${script}`)
    assert.equal(asset.status, 200)
    const etag = asset.headers.get('etag') as string
    assert.equal((await fetch(`${app.url}/${script}`, { headers: { 'if-none-match': etag } })).status, 304)
    for (const path of ['..%2f..%2fpackage.json', 'index.html', '.htaccess', 'x.js%00.png', 'a%5cb.js'])
      assert.ok([400, 404].includes((await fetch(`${app.url}/assets/${path}`)).status), path)
  }).timeout(60_000)
})

describe('an app over HTTP that is guarded', () => {
  it('is read-only unless it says otherwise', async () => {
    await using app = await shop({ port: 0 })
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"step":"known"}' }
    const response = await fetch(`${app.url}/api/dead-letters/replay`, init)
    assert.equal(response.status, 403)
    assert.match(((await response.json()) as { detail: string }).detail, /admin: true/)
  })

  it('shows its pages without its token, and its data with it alone', async () => {
    await using app = await shop({ port: 0, token: 'secret' })
    assert.equal((await fetch(`${app.url}/`)).status, 200)
    for (const path of [
      'api/live',
      'api/now',
      'api/graph',
      'api/errors',
      'api/dead-letters',
      'api/topics/customers/records',
    ])
      assert.equal((await fetch(`${app.url}/${path}`)).status, 401, path)
    const headers = { authorization: 'Bearer secret' }
    assert.equal((await fetch(`${app.url}/api/graph`, { headers })).status, 200)
  }).timeout(60_000)

  it('speaks TLS by the certificate that it was given', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'dhaara-tls-'))
    const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')]
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']
    const made = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    execFileSync('openssl', ['req', ...made, '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' })
    const tls = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
    rmSync(dir, { recursive: true })
    await using app = await shop({ port: 0, tls })
    assert.match(app.url, /^https:/)
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>()
    request(`${app.url}/readyz`, { ca: tls.cert }, (response) => resolve(response.statusCode))
      .on('error', reject)
      .end()
    assert.equal(await promise, 200)
    await assert.rejects(fetch(`${app.url}/readyz`))
  })

  it('has room for 500 who watch, refuses the next, and lets go of those who go', async () => {
    await using app = await shop({ port: 0 })
    await app.send(customers(50))
    await settled(app)
    const stop = new AbortController()
    const path = `${app.url}/api/stores/customers/changes?key=%22c1%22`
    const open = await Promise.all(Array.from({ length: 500 }, () => fetch(path, { signal: stop.signal })))
    assert.ok(open.every(({ status }) => status === 200))
    assert.equal((await fetch(path)).status, 429)
    const rows = await Promise.all(
      open.map(async ({ body }) => {
        const reader = (body as ReadableStream<Uint8Array>).getReader()
        for (let text = ''; ; ) {
          const { value } = await reader.read()
          text += new TextDecoder().decode(value)
          if (text.includes('"key":"c1"')) return text
        }
      }),
    )
    assert.equal(rows.length, 500)
    stop.abort()
    for (let status = 429; status === 429; ) {
      const one = await fetch(path)
      status = one.status
      await one.body?.cancel()
    }
    await app.send(customers(60))
    await settled(app)
    assert.equal(await app.app.store('customers').count(), 60)
  }).timeout(60_000)
})
