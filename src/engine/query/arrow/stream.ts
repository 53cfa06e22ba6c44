import { setImmediate } from 'node:timers/promises'
import type { Field, RecordBatch, Schema } from 'apache-arrow'
import type { Row, TextBlock } from '../../../state/backend.ts'
import { DhaaraError } from '../../../errors/index.ts'
import { roughBytes } from '../../../state/stores/index.ts'
import { entriesOf } from '../entries.ts'
import { bytesOf, type RawPage, rawPages, type RawPagesOf } from '../scan.ts'
import type { Scan } from '../types.ts'
import { type Arrow, batchRows, ColumnBuilder, type Kind, kindOf, typeOf } from './column.ts'
import { RawCells } from './raw-cells.ts'

export const arrowType = 'application/vnd.apache.arrow.stream'

type Entry = readonly [unknown, unknown]
type Part = string | Uint8Array

/** Rows that are written by their values in one turn of the event loop. */
const pieceRows = 512

/**
 * A scan as an Arrow IPC stream. Numbers are Float64, texts Utf8, times timestamps in milliseconds; what is nested, or of several
 * types, is Utf8 as JSON. The columns are those of the first rows: of later ones, what is of another type or in another field is
 * in the column `rest`, as JSON.
 *
 * @throws DhaaraError DHAARA_MODULE where the package apache-arrow is not installed
 */
export async function* arrowStream(scan: Scan<unknown, unknown>): AsyncGenerator<Uint8Array, void> {
  const arrow = await load()
  const raw = (scan as RawPagesOf)[rawPages]?.()
  if (raw === undefined) yield* fromEntries(arrow, scan)
  else yield* fromPages(arrow, raw)
}

/** Rows as they lie: the first ones say what columns there are, the others go straight into them. */
async function* fromPages(arrow: Arrow, pages: AsyncIterable<RawPage>): AsyncGenerator<Uint8Array, void> {
  const first = new FirstRows()
  let writer: BatchWriter | undefined
  let cells: RawCells | undefined
  for await (const { layout, rows, prefix } of pages) {
    if (writer === undefined) {
      for (let i = 0; i < rows.length; i += 2)
        for (const entry of entriesOf(layout, rowAt(rows, i, prefix))) first.add(entry, (rows[i + 1] as Part).length)
      if (!first.enough) continue
      writer = yield* begin(arrow, first)
      cells = RawCells.of(layout, writer.columns)
      continue
    }
    for (let i = 0; i < rows.length; i += 2) {
      if (cells?.write(writer.rows, rows[i] as Part, prefix, rows[i + 1] as Part) === true) writer.written()
      else for (const [key, value] of entriesOf(layout, rowAt(rows, i, prefix))) writer.add(key, value)
      if (writer.full) yield writer.take()
    }
  }
  writer ??= yield* begin(arrow, first)
  yield* writer.end()
}

const rowAt = (rows: TextBlock, i: number, prefix: number): Row => [
  bytesOf(rows[i] as Part, prefix),
  bytesOf(rows[i + 1] as Part, 0),
]

async function* fromEntries(arrow: Arrow, scan: Scan<unknown, unknown>): AsyncGenerator<Uint8Array, void> {
  const first = new FirstRows()
  let writer: BatchWriter | undefined
  for await (const entry of scan) {
    if (writer !== undefined) {
      writer.add(entry[0], entry[1])
      if (writer.full) yield writer.take()
      continue
    }
    first.add(entry, roughBytes(entry[1]))
    if (first.enough) writer = yield* begin(arrow, first)
  }
  writer ??= yield* begin(arrow, first)
  yield* writer.end()
}

/** Columns and first batch; other work has its turn in between. */
async function* begin(arrow: Arrow, first: FirstRows): AsyncGenerator<Uint8Array, BatchWriter> {
  const writer = new BatchWriter(arrow, first.columns())
  yield writer.head
  for (const [i, [key, value]] of first.entries.entries()) {
    writer.add(key, value)
    if (writer.full) yield writer.take()
    if (i % pieceRows === pieceRows - 1) await setImmediate()
  }
  return writer
}

const endOfStream = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0)
const rest = 'rest'

/** Makes the parts of a stream: a schema, then a message for each batch, then the end. */
class BatchWriter {
  /** The schema's message. */
  readonly head: Uint8Array
  readonly columns: readonly ColumnBuilder[]
  /** Of the batch that is being written. */
  rows = 0
  private readonly arrow: Arrow
  private readonly schema: Schema
  private readonly places: ReadonlyMap<string, number>
  private readonly strays = new ColumnBuilder(rest, 'json')
  /** The last row that has each column. */
  private readonly seen: Int32Array

  constructor(arrow: Arrow, columns: readonly ColumnBuilder[]) {
    this.arrow = arrow
    this.columns = columns
    this.places = new Map(columns.map(({ name }, i) => [name, i]))
    this.seen = new Int32Array(columns.length).fill(-1)
    const fields = columns.map(({ name, kind }) => new arrow.Field(name, typeOf(arrow, kind), true))
    this.schema = new arrow.Schema([...fields, new arrow.Field(rest, new arrow.Utf8(), true)] as Field[])
    const empty = new arrow.Table(this.schema)
    this.head = arrow.tableToIPC(empty, 'stream').subarray(0, -endOfStream.length)
  }

  get full(): boolean {
    if (this.rows === batchRows || this.strays.full) return true
    for (const column of this.columns) if (column.full) return true
    return false
  }

  /** A row whose columns were written from elsewhere. */
  written(): void {
    this.strays.missing(this.rows)
    this.rows++
  }

  add(key: unknown, value: unknown): void {
    const { rows: row, columns, seen, places } = this
    let strays: Record<string, unknown> | undefined
    for (const [name, part] of partsOf(key, value)) {
      const place = places.get(name)
      if (place !== undefined) seen[place] = row
      const fits = place === undefined ? part === null || part === undefined : columns[place]!.add(row, part)
      if (!fits) strays = { ...strays, [name]: part }
    }
    for (let i = 0; i < columns.length; i++) if (seen[i] !== row) columns[i]!.missing(row)
    this.strays.add(row, strays)
    this.rows++
  }

  /** The message of the rows so far: a stream of its own, without schema and end. */
  take(): Uint8Array {
    const { arrow, schema, columns, strays, rows } = this
    const struct = new arrow.Struct(schema.fields)
    const children = [...columns, strays].map((column) => column.data(arrow, rows))
    const data = arrow.makeData({ type: struct, length: rows, nullCount: 0, children })
    const batch = new arrow.RecordBatch(schema, data as never) as RecordBatch
    const stream = arrow.tableToIPC(new arrow.Table(schema, [batch]), 'stream')
    for (const column of [...columns, strays]) column.clear()
    this.rows = 0
    this.seen.fill(-1)
    return stream.subarray(this.head.length, -endOfStream.length)
  }

  *end(): Generator<Uint8Array, void> {
    if (this.rows > 0) yield this.take()
    yield endOfStream
  }
}

/** Of the key, of the window where keys have one, of the value or of each of its fields. */
function partsOf(key: unknown, value: unknown): (readonly [name: string, value: unknown])[] {
  const parts: (readonly [string, unknown])[] = isWindowed(key)
    ? [
        ['key', key.key],
        ['window_start', new Date(key.window.start)],
        ['window_end', key.window.end === null ? null : new Date(key.window.end)],
      ]
    : [['key', key]]
  if (!isRecord(value)) parts.push(['value', value])
  else for (const name in value) parts.push([name === 'key' ? 'value.key' : name, value[name]])
  return parts
}

/** Bytes of large rows that are enough of them. */
const mostFirst = 16 << 20

/** Rows that say what columns there are. */
class FirstRows {
  readonly entries: Entry[] = []
  private readonly kinds = new Map<string, Kind | undefined>()

  private bytes = 0

  get enough(): boolean {
    return this.entries.length >= batchRows || this.bytes >= mostFirst
  }

  add(entry: Entry, bytes: number): void {
    if (!this.enough) this.judge(entry)
    this.entries.push(entry)
    this.bytes += bytes
  }

  /** In the order in which they were met, each of the one kind that it has. */
  columns(): ColumnBuilder[] {
    return Array.from(this.kinds, ([name, kind = 'json']) => new ColumnBuilder(name, kind))
  }

  private judge([key, value]: Entry): void {
    const { kinds } = this
    for (const [name, part] of partsOf(key, value)) {
      const found = part === null || part === undefined ? undefined : kindOf(part)
      const known = kinds.get(name)
      kinds.set(name, known === undefined || found === undefined || known === found ? (known ?? found) : 'json')
    }
  }
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
