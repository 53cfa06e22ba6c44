import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { arrowStream, arrowType, cellsOf, csvText, type JsonRow, type Scan, toJson } from '../engine/query/index.ts'
import { HttpProblem } from './problem.ts'

export const mostRows = 10_000
export const rowTypes = ['application/json', 'application/x-ndjson', 'text/csv', arrowType] as const
type RowType = (typeof rowTypes)[number]

/** Rows that are sent together. */
const chunkRows = 256

/** The type that a request wants rows in; JSON where it does not say. @throws HttpProblem 406 */
export function rowType({ headers }: FastifyRequest): RowType {
  const accepted = (headers.accept ?? '*/*')
    .split(',')
    .map((part) => {
      const [type = '', ...params] = part.trim().split(';')
      const q = params.map((param) => /^\s*q=([\d.]+)\s*$/.exec(param)?.[1]).find((value) => value !== undefined)
      return { type: type.trim().toLowerCase(), q: q === undefined ? 1 : Number(q) }
    })
    .filter(({ q }) => q > 0)
    .sort((a, b) => b.q - a.q)
  for (const { type } of accepted) {
    if (type === '*/*' || type === 'application/*') return 'application/json'
    if (type === 'text/*') return 'text/csv'
    const found = rowTypes.find((known) => known === type)
    if (found !== undefined) return found
  }
  throw new HttpProblem(406, `Found Accept: ${headers.accept}; rows are there as ${rowTypes.join(', ')}`)
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
  const found = (await rows.toArray()).map(jsonRow)
  const cursor = found.length < page ? undefined : rows.cursor
  if (type === 'text/csv') {
    if (cursor !== undefined) void reply.header('x-cursor', cursor)
    return reply.type('text/csv; charset=utf-8').send(csvText(cellsOf(found)))
  }
  const tail = cursor === undefined ? '' : `,"cursor":${JSON.stringify(cursor)}`
  return reply.type('application/json; charset=utf-8').send(`{"rows":[${found.map(rowText).join(',')}]${tail}}`)
}

async function* linesOf(rows: Scan<unknown, unknown>): AsyncGenerator<string, void> {
  let chunk: string[] = []
  for await (const row of rows) {
    chunk.push(`${rowText(jsonRow(row))}\n`)
    if (chunk.length < chunkRows) continue
    yield chunk.join('')
    chunk = []
  }
  if (chunk.length > 0) yield chunk.join('')
}

const jsonRow = ([key, value]: readonly [unknown, unknown]): JsonRow => ({ key: toJson(key), value: toJson(value) })
const rowText = ({ key, value }: JsonRow): string => `{"key":${key},"value":${value}}`
