import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { arrowStream, arrowType, cellsOf, csvText, type JsonRow, type Scan, toJson } from '../engine/query/index.ts'
import { HttpProblem } from './problem.ts'

export const mostRows = 10_000
export const rowTypes = ['application/json', 'application/x-ndjson', 'text/csv', arrowType] as const
type RowType = (typeof rowTypes)[number]

/** Text of rows, at which a page ends: rows may be large, and a page lies in memory. */
export const mostText = 16 << 20

/** Rows that are sent together, and their text. */
const chunkRows = 256
const chunkText = 1 << 20

interface AcceptedRange {
  readonly range: string
  readonly q: number
  /** Place in the header. */
  readonly at: number
}

/**
 * The type that a request wants rows in; JSON where it does not say. As RFC 9110, 12.5.1: of the ranges that take a type in, the
 * most specific says how much it is wanted, and 0 is not at all. Of types that are wanted as much, the one named more exactly,
 * then the one named first.
 *
 * @throws HttpProblem 406
 */
function rowType({ headers }: FastifyRequest): RowType {
  const { accept = '' } = headers
  if (accept.trim() === '') return 'application/json'
  const ranges = accept.split(',').map(acceptedRange)
  let best: { readonly type: RowType; readonly by: AcceptedRange; readonly exact: number } | undefined
  for (const type of rowTypes) {
    const names = ['*/*', `${type.slice(0, type.indexOf('/'))}/*`, type]
    const exact = names.findLastIndex((name) => ranges.some(({ range }) => range === name))
    const by = ranges.find(({ range }) => range === names[exact])
    if (by === undefined || by.q === 0) continue
    const rank = best && (by.q - best.by.q || exact - best.exact || best.by.at - by.at)
    if (rank === undefined || rank > 0) best = { type, by, exact }
  }
  if (best !== undefined) return best.type
  throw new HttpProblem(406, `Found Accept: ${accept}; rows are there as ${rowTypes.join(', ')}`)
}

function acceptedRange(part: string, at: number): AcceptedRange {
  const [range = '', ...params] = part.split(';')
  const q = params.map((param) => /^\s*q=([\d.]+)\s*$/i.exec(param)?.[1]).find((value) => value !== undefined)
  return { range: range.trim().toLowerCase(), q: q === undefined ? 1 : Number(q), at }
}

/**
 * Sends the rows of a scan. JSON and CSV: a page, which says by a cursor where the next one begins. NDJSON: as they are read,
 * no faster than they are taken. Arrow: likewise, in batches.
 */
export async function sendRows(
  request: FastifyRequest,
  reply: FastifyReply,
  scan: (limit: number | undefined) => Scan<unknown, unknown>,
  limit: number | undefined,
): Promise<unknown> {
  const type = rowType(request)
  void reply.header('vary', 'accept')
  if (type === 'application/x-ndjson') {
    const rows = scan(limit)
    const lines = linesOf(rows)
    // what is wrong with the query is told before anything is sent
    const first = await lines.next()
    const all = async function* (): AsyncGenerator<string, void> {
      if (!first.done) yield first.value
      yield* lines
    }
    return reply.type(type).send(Readable.from(all(), { objectMode: false, highWaterMark: 1 << 16 }))
  }
  if (type === arrowType) {
    const bytes = arrowStream(scan(limit))
    const first = await bytes.next()
    const all = async function* (): AsyncGenerator<Uint8Array, void> {
      if (!first.done) yield first.value
      yield* bytes
    }
    return reply.type(type).send(Readable.from(all(), { objectMode: false, highWaterMark: 1 << 20 }))
  }
  const page = Math.min(limit ?? 100, mostRows)
  const rows = scan(page)
  const found: JsonRow[] = []
  let size = 0
  for await (const row of rows) {
    const json = jsonRow(row)
    found.push(json)
    size += sizeOf(json)
    if (size >= mostText) break
  }
  const cursor = found.length < page && size < mostText ? undefined : rows.cursor
  if (type === 'text/csv') {
    if (cursor !== undefined) void reply.header('x-cursor', cursor)
    return reply.type('text/csv; charset=utf-8').send(csvText(cellsOf(found)))
  }
  const tail = cursor === undefined ? '' : `,"cursor":${JSON.stringify(cursor)}`
  return reply.type('application/json; charset=utf-8').send(`{"rows":[${found.map(rowText).join(',')}]${tail}}`)
}

async function* linesOf(rows: Scan<unknown, unknown>): AsyncGenerator<string, void> {
  let chunk: string[] = []
  let size = 0
  for await (const row of rows) {
    const json = jsonRow(row)
    chunk.push(`${rowText(json)}\n`)
    size += sizeOf(json)
    if (chunk.length < chunkRows && size < chunkText) continue
    yield chunk.join('')
    chunk = []
    size = 0
  }
  if (chunk.length > 0) yield chunk.join('')
}

const jsonRow = ([key, value]: readonly [unknown, unknown]): JsonRow => ({ key: toJson(key), value: toJson(value) })
const sizeOf = ({ key, value }: JsonRow): number => key.length + value.length
const rowText = ({ key, value }: JsonRow): string => `{"key":${key},"value":${value}}`
