import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { DhaaraError } from '../../src/errors/index.ts'
import { problemOf } from '../../src/http/problem.ts'
import { servedApp } from './served.ts'

describe('what is wrong with a request', () => {
  const served = servedApp()

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
    [
      'a cursor of another store',
      '/api/stores/hours/windows?key=1&cursor=AQAAAAFQ',
      400,
      /the cursor is of another scan/,
    ],
    [
      'a partition in another spelling',
      `/api/stores/sums/count?minPosition=${encodeURIComponent('{"readings":{"00":0}}')}`,
      400,
      /minPosition names partition 00 of 'readings'/,
    ],
    ['a type that is not there', '/api/stores/sums/rows', 406, /rows are there as application\/json, /, 'image/png'],
  ]
  for (const [what, path, status, says, accept] of wrong) {
    it(`answers ${what} with a problem`, async () => {
      const response = await served.get(path, accept === undefined ? {} : { accept })
      const problem = (await response.json()) as Record<string, unknown>
      assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/)
      assert.match(String(problem['detail']), says)
      assert.deepEqual([response.status, problem['status']], [status, status])
      assert.ok(problem['type'] && problem['title'])
    })
  }

  it('refuses bodies that are too large or no JSON', async () => {
    const post = (body: string) =>
      fetch(`${served.url}/api/stores/sums/rows`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      })
    assert.equal((await post('{"keys":')).status, 400)
    assert.equal((await post(`{"keys":["${'x'.repeat(1 << 20)}"]}`)).status, 413)
    assert.equal((await post(JSON.stringify({ keys: Array.from({ length: 10_001 }, () => 1) }))).status, 400)
    assert.equal((await post('{"keys":[],"more":1}')).status, 400)
  })

  it('takes no text in a body for a number, and no null for a text', async () => {
    const post = (path: string, body: unknown) =>
      fetch(`${served.url}${path}`, {
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

  it('answers what is no request by a problem too', async () => {
    const answerTo = async (text: string): Promise<string> => {
      const socket = connect(Number(new URL(served.url).port), '127.0.0.1')
      socket.write(text)
      let answer = ''
      for await (const chunk of socket) answer += String(chunk)
      return answer
    }
    const bad = await served.get('/api/%zz')
    assert.equal(bad.status, 400)
    assert.match(bad.headers.get('content-type') ?? '', /^application\/problem\+json/)
    const post = await fetch(`${served.url}/api/stores/sums/rows`, { method: 'POST', body: '{"keys":[]}' })
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

  it('is not the server’s fault where a table needs a package that is not there', () => {
    const { status, detail } = problemOf(new DhaaraError('DHAARA_MODULE', 'npm install apache-arrow'))
    assert.deepEqual([status, detail], [406, 'npm install apache-arrow'])
  })

  it('tells which methods a path takes', async () => {
    for (const [method, path, allow] of [
      ['DELETE', '/api/stores/sums/rows', 'GET, HEAD, POST'],
      ['PUT', '/api/dead-letters/drop?x=1', 'POST'],
      ['POST', '/livez', 'GET, HEAD'],
      ['QUERY', '/api/app', 'GET, HEAD'],
    ] as const) {
      const response = await fetch(`${served.url}${path}`, { method })
      assert.deepEqual([response.status, response.headers.get('allow')], [405, allow])
      assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/)
      assert.match(
        ((await response.json()) as { detail: string }).detail,
        new RegExp(`There is no ${method} .* it takes`),
      )
    }
    assert.equal((await fetch(`${served.url}/api/stores/sums`, { method: 'DELETE' })).status, 404)
  })
})
