import { arrowType, checkRequest, type JsonRow, type RowRequest, toJson } from '../../engine/query/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import { ask, askEvents, askJson, type Served } from '../http-client.ts'

interface Info {
  readonly name: string
  readonly kind: string
}
/** Rows of a page, as the server has it. */
const mostRows = 10_000

interface Page {
  readonly rows: readonly Row[]
  readonly cursor?: string
}
interface Row {
  readonly key: unknown
  readonly value: unknown
}

/** How a text on the command line is given as JSON. */
type AsJson = (text: string) => string

/** JSON where it is, else text. What JSON would round goes as it is, to be refused. */
const jsonFirst: AsJson = (text) => {
  try {
    JSON.parse(text)
    return text
  } catch {
    return JSON.stringify(text)
  }
}

/** A text, unless it is one as JSON. */
const textFirst: AsJson = (text) => (/^\s*"/.test(text) ? jsonFirst(text) : JSON.stringify(text))

/** Rows of a store of an app that is served: what a key means is tried as in a directory. */
export async function rowsOverHttp(served: Served, request: RowRequest): Promise<JsonRow[]> {
  const { key = '', prefix = '', from = '', to = '' } = request
  const same = [key, prefix, from, to].every((text) => textFirst(text) === jsonFirst(text))
  if (same) return rowsAs(served, request, jsonFirst)
  const rows = await rowsAs(served, request, textFirst).catch((error: unknown) => {
    // keys of the store are no texts, or else it is said again
    if (error instanceof DhaaraError && error.code === 'DHAARA_QUERY') return []
    throw error
  })
  return rows.length > 0 ? rows : rowsAs(served, request, jsonFirst)
}

async function rowsAs(served: Served, request: RowRequest, asJson: AsJson): Promise<JsonRow[]> {
  const path = await pathOf(served, request, asJson)
  if (!path.includes('/row?')) {
    const rows: JsonRow[] = []
    // a page has so many rows at most, whatever was asked for
    for (let cursor = ''; ; ) {
      const page = await askJson<Page>(
        served,
        `${path}&limit=${Math.min(request.limit - rows.length, mostRows)}${cursor}`,
      )
      rows.push(...page.rows.map(jsonRow))
      if (page.cursor === undefined || rows.length >= request.limit) return rows
      cursor = `&cursor=${encodeURIComponent(page.cursor)}`
    }
  }
  try {
    return [jsonRow(await askJson<Row>(served, path))]
  } catch (error) {
    if (error instanceof DhaaraError && error.message.includes('no row of this key')) return []
    throw error
  }
}

/** The same as an Arrow IPC stream. */
export async function* arrowOverHttp(served: Served, request: RowRequest): AsyncGenerator<Uint8Array, void> {
  const path = await pathOf(served, request, jsonFirst)
  if (path.includes('/row?'))
    throw new DhaaraError('DHAARA_OPTION', 'one row is no table; give --prefix, --from or --to')
  const { body } = await ask(served, `${path}&limit=${request.limit}`, { headers: { accept: arrowType } })
  yield* body as unknown as AsyncIterable<Uint8Array>
}

/** Rows and their changes, as JSON lines, until the signal ends. */
export async function* changesOverHttp(
  served: Served,
  { store, key, prefix }: RowRequest,
  signal: AbortSignal,
): AsyncGenerator<string, void> {
  const query = new URLSearchParams({
    ...(key === undefined ? {} : { key: jsonFirst(key) }),
    ...(prefix === undefined ? {} : { prefix: jsonFirst(prefix) }),
  })
  try {
    yield* askEvents(served, `api/stores/${encodeURIComponent(store)}/changes?${query}`, signal)
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

async function pathOf(served: Served, request: RowRequest, asJson: AsJson): Promise<string> {
  const { store, key, by, prefix, from, to, at } = request
  const stores = await askJson<readonly Info[]>(served, 'api/stores')
  const kind = stores.find(({ name }) => name === store)?.kind
  const base = `api/stores/${encodeURIComponent(store)}`
  const query = new URLSearchParams()
  checkRequest(request, kind === 'window')
  // of windows it is refused there, as anywhere
  if (kind === 'window' && prefix === undefined) {
    if (key !== undefined) query.set('key', asJson(key))
    if (from !== undefined) query.set('from', from)
    if (to !== undefined) query.set('to', to)
    return `${base}/windows?${query}`
  }
  if (by !== undefined)
    return `${base}/by/${encodeURIComponent(by)}?${new URLSearchParams({ value: asJson(key as string) })}`
  if (key !== undefined) {
    const one = new URLSearchParams({ key: asJson(key), ...(at === undefined ? {} : { at }) })
    return `${base}/row?${one}`
  }
  if (prefix !== undefined) query.set('prefix', asJson(prefix))
  if (from !== undefined) query.set('from', asJson(from))
  if (to !== undefined) query.set('to', asJson(to))
  return `${base}/rows?${query}`
}

const jsonRow = ({ key, value }: Row): JsonRow => ({ key: toJson(key), value: toJson(value) })
