import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { apps, readings } from '../engine/query/apps.ts'

interface Operation {
  readonly operationId: string
  readonly parameters: readonly {
    readonly name: string
    readonly in: 'path' | 'query'
    readonly schema?: Schema
    readonly content?: { readonly 'application/json': { readonly schema: Schema } }
  }[]
  readonly requestBody?: object
  readonly responses: Readonly<
    Record<string, { readonly content: Readonly<Record<string, { readonly schema: object }>> }>
  >
}
interface Schema {
  readonly type?: string
  readonly enum?: readonly string[]
}
interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

/** Requests; fewer or more by DHAARA_REQUESTS. */
const numRuns = Number(process.env['DHAARA_REQUESTS'] ?? 2000)
const arrow = 'application/vnd.apache.arrow.stream'
const types = ['application/json', 'application/x-ndjson', 'text/csv', arrow, '*/*']

describe('the OpenAPI document', () => {
  const running = apps()
  let url = ''
  let document: Document
  before(async function () {
    this.timeout(30_000)
    const app = await running({ http: { port: 0 } })
    url = app.app.httpUrl ?? ''
    await app.send(readings(100))
    await app.until(async () => (await app.app.store('places').count()) === 7)
    document = (await (await fetch(`${url}/openapi.json`)).json()) as Document
  })

  /** What such a parameter may be given: what fits, what nearly does, and anything. */
  const valueOf = (name: string, schema: Schema): fc.Arbitrary<string> => {
    const stores = ['sums', 'hours', 'visits', 'sliding', 'places', 'cities', 'ids', 'last', 'ticked', 'parts']
    const keys = fc.constantFrom('"s1"', '["Goa"]', '["Goa","s1"]', '{"city":"Goa"}', '42', 'null', 'true', '[', '""')
    const likely: Record<string, fc.Arbitrary<string>> = {
      store: fc.constantFrom(...stores),
      limit: fc.integer({ min: -1, max: 20_000 }).map(String),
      from: fc.oneof(keys, fc.integer().map(String), fc.constantFrom('2026-10-20', '-1', '1e3')),
      to: fc.oneof(keys, fc.integer().map(String)),
      reverse: fc.constantFrom('true', 'false', '1'),
    }
    const known = likely[name] ?? (schema.enum === undefined ? keys : fc.constantFrom(...schema.enum))
    return fc.oneof(
      { arbitrary: known, weight: 6 },
      { arbitrary: fc.oneof(fc.json(), fc.string({ unit: 'binary' })), weight: 1 },
    )
  }

  it('tells what there is, and all of it answers as it says', async () => {
    assert.match(document.openapi, /^3\.1\./)
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
    )
    assert.equal(new Set(operations.map(({ operation }) => operation.operationId)).size, operations.length)
    assert.ok(operations.length >= 15)
    const ajv = new Ajv2020({ strict: false })
    ajv.addSchema({ $id: 'document', ...document })
    const check = (schema: object, body: unknown): string => {
      const resolved = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"document#/')) as object
      return ajv.validate(resolved, body) ? '' : ajv.errorsText()
    }
    const seen = new Set<string>()
    const request = fc.constantFrom(...operations).chain(({ path, method, operation }) =>
      fc.record({
        path: fc.constant(path),
        method: fc.constant(method),
        operation: fc.constant(operation),
        params: fc.record(
          Object.fromEntries(
            operation.parameters.map((one) => {
              const given = valueOf(one.name, one.schema ?? {})
              const absent = { arbitrary: fc.constant(undefined), weight: 3 }
              const needed = one.in === 'path' || one.name === 'key'
              return [one.name, needed ? given : fc.oneof(absent, { arbitrary: given, weight: 1 })]
            }),
          ),
        ),
        body: fc.oneof(fc.json(), fc.constant('{"keys":["s1",1,null]}')),
        accept: fc.constantFrom(...types),
      }),
    )
    await fc.assert(
      fc.asyncProperty(request, async ({ path, method, operation, params, body, accept }) => {
        const given = Object.entries(params as Record<string, string | undefined>).flatMap(([name, value]) =>
          value === undefined ? [] : [[name, value] as [string, string]],
        )
        const inPath = new Set(operation.parameters.flatMap((one) => (one.in === 'path' ? [one.name] : [])))
        const filled = path.replace(/\{(\w+)\}/g, (_, name: string) =>
          encodeURIComponent(toWellFormed((params as Record<string, string>)[name])),
        )
        // '.' and '..' are steps of a path, and not its parts
        fc.pre(!/\/\.{0,2}(\/|$)/.test(filled))
        const search = new URLSearchParams(given.filter(([name]) => !inPath.has(name)))
        const post =
          operation.requestBody === undefined ? {} : { body, headers: { accept, 'content-type': 'application/json' } }
        const response = await fetch(`${url}${filled}?${search}`, { method, headers: { accept }, ...post })
        const type = (response.headers.get('content-type') ?? '').split(';')[0] as string
        const text = type === 'text/event-stream' ? await firstOf(response) : await response.text()
        const documented = operation.responses[response.status]
        const what = `${method} ${filled}?${search} -> ${response.status} ${type}: ${text.slice(0, 200)}`
        assert.ok(response.status < 500, what)
        assert.ok(documented !== undefined, what)
        const content = documented.content[type]
        assert.ok(content !== undefined, what)
        if (type.endsWith('+json') || type === 'application/json')
          assert.equal(check(content.schema, JSON.parse(text)), '', what)
        seen.add(`${operation.operationId} ${response.status}`)
      }),
      { numRuns },
    )
    for (const { operation } of operations)
      assert.ok([...seen].some((one) => one.startsWith(`${operation.operationId} `)))
    // and the app is well
    assert.equal((await fetch(`${url}/readyz`)).status, 200)
  }).timeout(120_000)
})

const toWellFormed = (text: string | undefined): string => (text ?? '').toWellFormed()

/** What an endless answer begins with. */
async function firstOf(response: Response): Promise<string> {
  const reader = response.body?.getReader()
  const first = await reader?.read()
  await reader?.cancel()
  return new TextDecoder().decode(first?.value)
}
