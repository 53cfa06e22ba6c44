import type * as ArrowModule from 'apache-arrow'
import type { DataType, Field, RecordBatch, Schema } from 'apache-arrow'
import { DhaaraError } from '../../errors/index.ts'
import { toJson } from './to-json.ts'
import type { Scan } from './types.ts'

export const arrowType = 'application/vnd.apache.arrow.stream'

/** Rows of a record batch: a column's memory is a few pages, and a reader has much to do with each. */
const batchRows = 8192

type Arrow = typeof ArrowModule
type Kind = 'number' | 'boolean' | 'text' | 'time' | 'json'

interface Column {
  readonly name: string
  readonly kind: Kind
}

/** Rows as columns: of the key, of the window where keys have one, of the value or of each of its fields. */
class Columns {
  readonly values = new Map<string, unknown[]>()
  rows = 0

  add(key: unknown, value: unknown): void {
    if (isWindowed(key)) {
      this.put('key', key.key)
      this.put('window_start', new Date(key.window.start))
      this.put('window_end', key.window.end === null ? null : new Date(key.window.end))
    } else this.put('key', key)
    if (isRecord(value)) for (const name in value) this.put(name === 'key' ? 'value.key' : name, value[name])
    else this.put('value', value)
    this.rows++
  }

  private put(name: string, value: unknown): void {
    let column = this.values.get(name)
    if (column === undefined) this.values.set(name, (column = []))
    // rows before that did not have it
    while (column.length < this.rows) column.push(null)
    column.push(value ?? null)
  }
}

/**
 * A scan as an Arrow IPC stream. Numbers are Float64, texts Utf8, times timestamps in milliseconds; what is nested, or of several
 * types, is Utf8 as JSON. The columns are those of the first batch: of later rows, what is of another type or in another field is
 * in the column `rest`, as JSON.
 *
 * @throws DhaaraError DHAARA_MODULE where the package apache-arrow is not installed
 */
export async function* arrowStream(scan: Scan<unknown, unknown>): AsyncGenerator<Uint8Array, void> {
  const arrow = await load()
  let columns = new Columns()
  let writer: BatchWriter | undefined
  const flush = function* (): Generator<Uint8Array, void> {
    if (writer === undefined) {
      writer = new BatchWriter(arrow, judge(columns))
      yield writer.head
    }
    if (columns.rows > 0) yield writer.piece(columns)
    columns = new Columns()
  }
  for await (const [key, value] of scan) {
    columns.add(key, value)
    if (columns.rows >= batchRows) yield* flush()
  }
  yield* flush()
  yield endOfStream
}

const endOfStream = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0)
const rest = 'rest'

/** Makes the parts of a stream: a schema, then a message for each batch, then the end. */
class BatchWriter {
  /** The schema's message. */
  readonly head: Uint8Array
  private readonly arrow: Arrow
  private readonly columns: readonly Column[]
  private readonly schema: Schema

  constructor(arrow: Arrow, columns: readonly Column[]) {
    this.arrow = arrow
    this.columns = columns
    const fields = columns.map(({ name, kind }) => new arrow.Field(name, typeOf(arrow, kind), true))
    this.schema = new arrow.Schema([...fields, new arrow.Field(rest, new arrow.Utf8(), true)] as Field[])
    const empty = new arrow.Table(this.schema)
    this.head = arrow.tableToIPC(empty, 'stream').subarray(0, -endOfStream.length)
  }

  /** The message of a batch: a stream of its own, without schema and end. */
  piece(found: Columns): Uint8Array {
    const { arrow, schema, columns } = this
    const { rows } = found
    const strays: (Record<string, unknown> | undefined)[] = []
    const stray = (row: number, name: string, value: unknown): void => {
      strays[row] = { ...strays[row], [name]: value }
    }
    const known = new Set(columns.map(({ name }) => name))
    for (const [name, values] of found.values) {
      if (known.has(name)) continue
      for (const [row, value] of values.entries()) if (value !== null) stray(row, name, value)
    }
    const children = columns.map(({ name, kind }) => {
      const values = found.values.get(name) ?? []
      const fitting = Array.from({ length: rows }, (_, row) => {
        const value = values[row] ?? null
        if (value === null || kind === 'json' || kindOf(value) === kind) return value
        stray(row, name, value)
        return null
      })
      return columnOf(arrow, kind, fitting)
    })
    const last = columnOf(
      arrow,
      'json',
      Array.from({ length: rows }, (_, row) => strays[row] ?? null),
    )
    const struct = new arrow.Struct(schema.fields)
    const data = arrow.makeData({ type: struct, length: rows, nullCount: 0, children: [...children, last] })
    const batch = new arrow.RecordBatch(schema, data as never) as RecordBatch
    const stream = arrow.tableToIPC(new arrow.Table(schema, [batch]), 'stream')
    return stream.subarray(this.head.length, -endOfStream.length)
  }
}

function judge({ values }: Columns): Column[] {
  return Array.from(values, ([name, column]) => {
    const kinds = new Set(column.filter((value) => value !== null).map(kindOf))
    const [only = 'json'] = kinds
    return { name, kind: kinds.size === 1 ? only : 'json' }
  })
}

function kindOf(value: unknown): Kind {
  if (typeof value === 'number' || typeof value === 'boolean') return typeof value as Kind
  if (typeof value === 'string') return 'text'
  return value instanceof Date ? 'time' : 'json'
}

function typeOf(arrow: Arrow, kind: Kind): DataType {
  if (kind === 'number') return new arrow.Float64()
  if (kind === 'boolean') return new arrow.Bool()
  if (kind === 'time') return new arrow.TimestampMillisecond()
  return new arrow.Utf8()
}

function columnOf(arrow: Arrow, kind: Kind, values: readonly unknown[]) {
  const length = values.length
  const bitmap = new Uint8Array(Math.ceil(length / 8))
  let nullCount = 0
  for (let i = 0; i < length; i++) {
    if (values[i] === null) nullCount++
    else bitmap[i >> 3] = (bitmap[i >> 3] as number) | (1 << (i & 7))
  }
  const base = { length, nullCount, nullBitmap: nullCount === 0 ? undefined : bitmap }
  if (kind === 'number') return arrow.makeData({ ...base, type: new arrow.Float64(), data: floats(values) })
  if (kind === 'time') {
    const data = BigInt64Array.from(values, (value) => (value === null ? 0n : BigInt((value as Date).getTime())))
    return arrow.makeData({ ...base, type: new arrow.TimestampMillisecond(), data })
  }
  if (kind === 'boolean') {
    const data = new Uint8Array(Math.ceil(length / 8))
    for (let i = 0; i < length; i++) if (values[i] === true) data[i >> 3] = (data[i >> 3] as number) | (1 << (i & 7))
    return arrow.makeData({ ...base, type: new arrow.Bool(), data })
  }
  const texts = values.map((value) => (value === null ? '' : kind === 'text' ? (value as string) : toJson(value)))
  return arrow.makeData({ ...base, type: new arrow.Utf8(), ...bytesOf(texts) })
}

function floats(values: readonly unknown[]): Float64Array {
  const data = new Float64Array(values.length)
  for (let i = 0; i < values.length; i++) data[i] = (values[i] as number | null) ?? 0
  return data
}

/** All texts in one buffer, and where each begins. */
function bytesOf(texts: readonly string[]): { readonly data: Uint8Array; readonly valueOffsets: Int32Array } {
  const valueOffsets = new Int32Array(texts.length + 1)
  const data = Buffer.from(texts.join(''))
  let at = 0
  for (const [i, text] of texts.entries()) {
    at += Buffer.byteLength(text)
    valueOffsets[i + 1] = at
  }
  return { data, valueOffsets }
}

async function load(): Promise<Arrow> {
  try {
    return await import('apache-arrow')
  } catch (cause) {
    throw new DhaaraError(
      'DHAARA_MODULE',
      'tables as Arrow need the package apache-arrow, which is not installed: npm install apache-arrow',
      { cause },
    )
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' &&
  value !== null &&
  (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)

const isWindowed = (
  key: unknown,
): key is { readonly key: unknown; readonly window: { readonly start: number; readonly end: number | null } } =>
  isRecord(key) && isRecord(key['window']) && 'key' in key
