import type { QueryOptions, ScanOptions } from '../../engine/query/index.ts'
import { getByJson, getManyByJson, keysFromJson, mostBytes, oneKey, toJson } from '../../engine/query/index.ts'
import type { EventStreams } from '../events.ts'
import { HttpProblem } from '../problem.ts'
import {
  type Asked,
  anything,
  eventStream,
  integer,
  list,
  object,
  oneOf,
  type Parameter,
  type Route,
  type Schema,
  text,
} from '../route.ts'
import { mostRows, mostText, rowTypes, sendRows } from '../rows.ts'
import type { Served } from '../served.ts'

const described = (schema: Schema, description: string): Parameter => ({ schema, description })
const asJson = (means: Schema, description: string): Parameter => ({ schema: text, means, json: true, description })

const isolation = described(
  { ...oneOf('committed', 'latest'), default: 'committed' },
  'committed: as of the last checkpoint. latest: as it is now, from the thread that owns it',
)
const offsets: Schema = {
  type: 'object',
  propertyNames: { pattern: '^(0|[1-9][0-9]{0,4})$' },
  additionalProperties: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
}
const minPosition = asJson(
  { type: 'object', additionalProperties: offsets },
  'read your writes: waits until these offsets of inputs are applied, as JSON: {"orders":{"0":41}}; at most 10 s',
)
const scanning = {
  limit: described(
    { type: 'integer', minimum: 1, maximum: 1_000_000_000 },
    `rows at most; of a page at most ${mostRows}, or ${mostText >> 20} MiB, default 100; NDJSON: default all`,
  ),
  cursor: { schema: text, means: { type: 'string', pattern: '^[\\w-]{7,}$' }, description: 'of the page before' },
  reverse: described({ type: 'boolean', default: false }, 'from the end'),
  isolation,
  minPosition,
}
const json = (what: string): Parameter => asJson(anything, `${what}, as JSON: "c1" in quotes, 42, ["Pune",1]`)
const instant: Schema = {
  anyOf: [
    { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
    { type: 'string', format: 'date-time' },
    { type: 'string', format: 'date' },
  ],
}
const time = (what: string): Parameter => ({
  schema: text,
  means: instant,
  description: `${what}: epoch milliseconds or ISO 8601`,
})
const store = { store: text }

const row = object({ key: anything, value: anything })
const page = object({ rows: list(row), cursor: text }, ['rows'])
const rows = Object.fromEntries(rowTypes.map((type) => [type, type === 'application/json' ? page : text]))
const refuses = [404, 406, 503]

/** What stores can be asked. */
export function storeRoutes(app: Served, events: EventStreams): Route[] {
  const optionsOf = ({ query, reply }: Asked): QueryOptions & { readonly isolation: 'committed' | 'latest' } => ({
    ...isolationOf({ query }),
    ...positionsOf(query['minPosition'], gone(reply.raw).signal),
  })
  // of this instance's committed rows a key's is had at once: there is nothing that an asker who goes could end
  const pointOptions = (asked: Asked): QueryOptions =>
    app.answerPeer === undefined && asked.query['isolation'] !== 'latest' && asked.query['minPosition'] === undefined
      ? committed
      : optionsOf(asked)
  const scanOf = (asked: Asked, limit: number | undefined): ScanOptions => {
    const { cursor, reverse } = asked.query
    return {
      ...optionsOf(asked),
      reverse: reverse === true,
      ...(limit === undefined ? {} : { limit }),
      ...(typeof cursor === 'string' ? { cursor } : {}),
    }
  }
  const send = (asked: Asked, scan: (limit: number | undefined) => ReturnType<ReturnType<Served['store']>['all']>) =>
    sendRows(asked.request, asked.reply, scan, asked.query['limit'] as number | undefined)
  const storeOf = ({ params }: Asked) => app.store(params['store'] as string)
  const keysOf = (asked: Asked) => keysFromJson(storeOf(asked), isolationOf(asked))
  /** @throws HttpProblem 400; DhaaraError where the store cannot be asked */
  const keyOf = async (asked: Asked, name: string): Promise<unknown> => {
    const json = jsonOf(name, asked.query[name])
    return json === undefined ? undefined : (await keysOf(asked)).typed(json)
  }

  return [
    {
      method: 'GET',
      url: '/api/stores',
      id: 'listStores',
      tag: 'stores',
      summary: 'The stores of the topology',
      gives: {
        'application/json': list(
          object({
            name: text,
            kind: oneOf('keyValue', 'list', 'window', 'inner'),
            partitions: integer,
            indexes: list(text),
          }),
        ),
      },
      refuses: [503],
      answer: () => app.stores(),
    },
    {
      method: 'GET',
      url: '/api/stores/:store/count',
      id: 'countRows',
      tag: 'stores',
      summary: 'How many rows a store has; counts them one by one, unless the estimate will do',
      params: store,
      query: {
        isolation,
        minPosition,
        estimate: described({ type: 'boolean', default: false }, 'as kept while rows came and went, at no cost'),
      },
      gives: { 'application/json': object({ count: integer }) },
      refuses,
      answer: async (asked) => ({
        count: await storeOf(asked).count({ ...optionsOf(asked), estimate: asked.query['estimate'] === true }),
      }),
    },
    {
      method: 'GET',
      url: '/api/stores/:store/rows',
      id: 'scanRows',
      tag: 'stores',
      summary: 'Rows in the order of their keys: all, a range, or those with a prefix',
      params: store,
      query: { from: json('first key'), to: json('last key, inclusive'), prefix: json('start of keys'), ...scanning },
      gives: rows,
      refuses,
      answer: async (asked) => {
        const { from, to, prefix } = asked.query
        if (prefix !== undefined && (from !== undefined || to !== undefined))
          throw new HttpProblem(400, 'Found a prefix and a range; give one of them')
        const [start, low, high] = [await keyOf(asked, 'prefix'), await keyOf(asked, 'from'), await keyOf(asked, 'to')]
        return send(asked, (limit) => {
          const options = scanOf(asked, limit)
          if (prefix !== undefined) return storeOf(asked).prefix(start, options)
          if (from === undefined && to === undefined) return storeOf(asked).all(options)
          return storeOf(asked).range(low, high, options)
        })
      },
    },
    {
      method: 'GET',
      url: '/api/stores/:store/by/:index',
      id: 'scanIndex',
      tag: 'stores',
      summary: 'Rows that a secondary index has under a value, in the order of their keys',
      params: { ...store, index: text },
      query: { value: { ...json('the value'), required: true }, ...scanning },
      gives: rows,
      refuses,
      answer: async (asked) => {
        const json = jsonOf('value', asked.query['value'])
        const index = asked.params['index'] as string
        const value = (await keysFromJson(storeOf(asked), isolationOf(asked), index)).typed(json)
        return send(asked, (limit) => storeOf(asked).by(index, value as string, scanOf(asked, limit)))
      },
    },
    {
      method: 'GET',
      url: '/api/stores/:store/windows',
      id: 'scanWindows',
      tag: 'stores',
      summary: 'Windows that start in a stretch of time, of one key or of all',
      params: store,
      query: { key: json('the key'), from: time('first start'), to: time('last start, inclusive'), ...scanning },
      gives: rows,
      refuses,
      answer: async (asked) => {
        const key = await keyOf(asked, 'key')
        return send(asked, (limit) => {
          const from = timeOf('from', asked.query['from']) ?? 0
          const to = timeOf('to', asked.query['to']) ?? Number.MAX_SAFE_INTEGER
          const options = scanOf(asked, limit)
          if (key === undefined) return storeOf(asked).fetchAll(from, to, options)
          return storeOf(asked).fetch(key, from, to, options)
        })
      },
    },
    {
      method: 'GET',
      url: '/api/stores/:store/changes',
      id: 'watchRows',
      tag: 'stores',
      summary:
        'Rows, then their changes as they are committed, as server-sent events; who reads slowly gets the last of each key',
      params: store,
      query: {
        key: json('one key'),
        prefix: json('start of keys'),
        from: described({ ...oneOf('snapshot', 'now'), default: 'snapshot' }, 'now: changes alone'),
      },
      gives: { 'text/event-stream': eventStream },
      refuses: [404, 429, 503],
      answer: async (asked) => {
        const { key, prefix, from } = asked.query
        if (key !== undefined && prefix !== undefined)
          throw new HttpProblem(400, 'Found a key and a prefix; give one of them')
        const keys =
          prefix !== undefined
            ? { prefix: await keyOf(asked, 'prefix') }
            : key === undefined
              ? undefined
              : { [oneKey]: await keyOf(asked, 'key') }
        const stop = new AbortController()
        const changes = storeOf(asked).subscribe(keys as never, {
          from: from === 'now' ? 'now' : 'snapshot',
          signal: stop.signal,
        })
        return events.send(asked, changes, stop)
      },
    },
    {
      method: 'GET',
      url: '/api/stores/:store/row',
      id: 'getRow',
      tag: 'stores',
      summary: 'The row of a key',
      params: store,
      query: {
        key: { ...json('the key'), required: true },
        at: time('of versioned stores, the row that held then'),
        isolation,
        minPosition,
      },
      gives: { 'application/json': row },
      refuses: [404, 503],
      answer: async (asked) => {
        const json = jsonOf('key', asked.query['key'])
        const keys = keysOf(asked)
        const at = timeOf('at', asked.query['at'])
        const options = pointOptions(asked)
        const rows = storeOf(asked)
        const { key, value } = await getByJson(keys instanceof Promise ? await keys : keys, json, (one) =>
          at === undefined ? rows.get(one, options) : rows.asOf(one, at, options),
        )
        if (value === undefined) throw new HttpProblem(404, `Store '${asked.params['store']}' has no row of this key`)
        return jsonText(asked, `{"key":${toJson(key)},"value":${toJson(value)}}`)
      },
    },
    {
      method: 'POST',
      url: '/api/stores/:store/rows',
      id: 'getRows',
      tag: 'stores',
      summary: 'The rows of several keys, all of one moment; null where there is none',
      params: store,
      query: { isolation, minPosition },
      body: object({ keys: { type: 'array', items: anything, maxItems: mostRows } }),
      gives: { 'application/json': object({ values: list(anything) }) },
      refuses: [404, 503],
      answer: async (asked) => {
        const { keys } = asked.body as { readonly keys: readonly unknown[] }
        const options = pointOptions(asked)
        const values = await getManyByJson(await keysOf(asked), keys, (all) =>
          storeOf(asked).getMany(all, { ...options, [mostBytes]: mostText } as QueryOptions),
        )
        return jsonText(asked, `{"values":[${values.map((value) => toJson(value ?? null)).join(',')}]}`)
      },
    },
  ]
}

const committed: QueryOptions = {}

const isolationOf = ({ query }: Pick<Asked, 'query'>): { readonly isolation: 'committed' | 'latest' } => ({
  isolation: query['isolation'] === 'latest' ? 'latest' : 'committed',
})

/** The text is given back and not sent: a reply that was sent is one more promise to wait for. */
function jsonText({ reply }: Asked, json: string): string {
  void reply.header('content-type', 'application/json; charset=utf-8')
  return json
}

const mostPatience = 10_000

/** @throws HttpProblem 400; later 503, when it took too long */
function positionsOf(given: unknown, signal: AbortSignal): Pick<QueryOptions, 'minPosition' | 'signal'> {
  if (given === undefined) return { signal }
  const wanted = jsonOf('minPosition', given)
  if (!isPositions(wanted))
    throw new HttpProblem(400, `Found minPosition=${String(given)}; expected {"topic":{"partition":offset}}`)
  const patience = new AbortController()
  const timer = setTimeout(
    () => patience.abort(new HttpProblem(503, 'The positions were not applied within 10 s; ask again')),
    mostPatience,
  )
  timer.unref()
  return { minPosition: wanted, signal: AbortSignal.any([signal, patience.signal]) }
}

const isPositions = (value: unknown): value is NonNullable<QueryOptions['minPosition']> =>
  isFields(value) &&
  Object.values(value).every(
    (partitions) =>
      isFields(partitions) &&
      Object.entries(partitions).every(
        ([partition, offset]) => /^\d{1,5}$/.test(partition) && Number.isSafeInteger(offset) && (offset as number) >= 0,
      ),
  )

const isFields = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Aborted when the asker has gone before the answer. */
function gone(response: Asked['reply']['raw']): { readonly signal: AbortSignal } {
  const ending = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) ending.abort()
  })
  return { signal: ending.signal }
}

/** @throws HttpProblem 400 */
function jsonOf(name: string, given: unknown): unknown {
  if (given === undefined) return undefined
  try {
    return JSON.parse(given as string) as unknown
  } catch {
    throw new HttpProblem(
      400,
      `Found ${name}=${String(given)}, which is no JSON; a text is given in quotes: "${String(given)}"`,
    )
  }
}

const isoDate = /^\d{4}-\d\d-\d\d(t\d\d:\d\d(:\d\d([.,]\d+)?)?(z|[+-]\d\d:?\d\d)?)?$/i

/** @throws HttpProblem 400 */
function timeOf(name: string, given: unknown): number | undefined {
  if (given === undefined) return undefined
  const text = given as string
  const at = /^\d+$/.test(text) ? Number(text) : isoDate.test(text) ? Date.parse(text) : Number.NaN
  if (at <= Number.MAX_SAFE_INTEGER) return at
  throw new HttpProblem(
    400,
    `Found ${name}=${text}; expected epoch milliseconds, or a date such as 2026-10-20T12:00:00Z`,
  )
}
