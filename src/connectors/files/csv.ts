import type { SinkBatch, SinkConnector, ValueSource } from '../../dsl/connect/index.ts'
import { type Serde, serdes, type StandardSchema } from '../../dsl/serdes/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import { type ConnectorInfo, declare, flag, object, type OptionsOf, some, texts } from '../options/index.ts'
import { CsvSplitter, fieldsOf, fieldText } from './csv-text.ts'
import { FileSink } from './file-sink.ts'
import type { FilePosition } from './identity.ts'
import { fileSinkOptions, fileSourceOptions } from './options.ts'
import { readLines } from './read-lines.ts'

/** What a column's text is turned into; an empty field is null. */
export type CsvType = 'text' | 'number' | 'bigint' | 'boolean' | 'date' | 'json'
const types: readonly CsvType[] = ['text', 'number', 'bigint', 'boolean', 'date', 'json']

const isDelimiter = (v: unknown): boolean =>
  typeof v === 'string' && v.length === 1 && v !== '"' && v.charCodeAt(0) < 128

const sourceOptions = declare({
  ...fileSourceOptions,
  header: flag('The first record of each file names its columns.', true),
  columns: texts('Names of the columns; needed without a header, which they replace.'),
  types: object<Readonly<Record<string, CsvType>>>(
    `{column: ${types.map((type) => `'${type}'`).join(' | ')}}`,
    'What fields are turned into; others stay text. An empty field that is no text is null; a date is ISO 8601.',
  ),
  delimiter: some<string>('one character', "Between fields. Default: ','.", isDelimiter),
  schema: object<StandardSchema<any>>(
    'a Standard Schema (zod, valibot, arktype …)',
    'What a row must be; what it refuses meets `onInvalid`.',
  ),
})
const sinkOptions = declare({
  ...fileSinkOptions,
  columns: texts('Properties of a value that are written, in this order.').required(),
  header: flag('Each file begins with the names of its columns.', true),
  delimiter: some<string>('one character', "Between fields. Default: ','.", isDelimiter),
})

export type CsvSourceOptions<T> = Omit<OptionsOf<typeof sourceOptions>, 'schema'> & {
  readonly schema?: StandardSchema<T>
}
export type CsvSinkOptions = OptionsOf<typeof sinkOptions>

/** Where a CSV file is read on: what its columns are is known from its start. */
export interface CsvPosition extends FilePosition {
  readonly columns: readonly string[]
}

/**
 * Reads CSV files: a row is an object with a property a column. A row that is malformed, or has another number of fields,
 * meets `onInvalid`.
 *
 * @example builder.source('trades', csvSource<Trade>({ path: 'trades.csv', types: { price: 'number', at: 'date' } }), { timestamp: (t) => t.at.getTime() })
 * @throws DhaaraError DHAARA_OPTION
 */
export function csvSource<T = Readonly<Record<string, string>>>(
  given: CsvSourceOptions<T>,
): ValueSource<T, CsvPosition> {
  const used = sourceOptions.read('csvSource', given as OptionsOf<typeof sourceOptions>)
  const { path: paths, schema, header, columns, types: typed = {}, delimiter = ',', ...options } = used
  if (!header && columns === undefined)
    throw new DhaaraError(
      'DHAARA_OPTION',
      'csvSource: found {header: false} and no columns; name them: {columns: [...]}',
    )
  for (const [column, type] of Object.entries(typed)) {
    if (types.includes(type)) continue
    throw new DhaaraError(
      'DHAARA_OPTION',
      `csvSource: types.${column}: found ${JSON.stringify(type)}; expected one of ${types.join(', ')}`,
    )
  }
  const rows = new Rows(typed, delimiter)
  const checked = schema === undefined ? undefined : serdes.json<T>(schema)
  return {
    connector: 'csv',
    partitions: paths.length,
    value: rows.serde(checked) as Serde<T>,
    async *read(position, signal, task) {
      const path = paths[task.partition] as string
      let names = position?.columns ?? columns
      const splitter = () => new CsvSplitter(delimiter)
      for await (const { lines, begins, position: behind, caughtUp } of readLines(
        { ...options, path },
        position,
        signal,
        task,
        splitter,
      )) {
        let first = 0
        if (begins && header && lines.length > 0) {
          const found = headerOf(lines[0] as Uint8Array, delimiter, path)
          names = columns ?? found
          first = 1
        }
        const id = rows.idOf(names ?? [])
        const values = lines.slice(first).filter((line) => line.length > 0)
        yield {
          values: values.map((line) => withId(id, line)),
          position: { ...behind, columns: names ?? [] },
          caughtUp,
        }
      }
    },
  }
}

function headerOf(line: Uint8Array, delimiter: string, path: string): readonly string[] {
  const text = Buffer.from(line)
    .toString()
    .replace(/^\ufeff/, '')
  const names = fieldsOf(text, delimiter).map((name) => name.trim())
  const twice = names.find((name, i) => name === '' || names.indexOf(name) !== i)
  if (twice === undefined) return names
  const message = `${path}: found the column '${twice}' ${twice === '' ? 'without a name' : 'twice'} in the header; name the columns yourself: {columns: […]}`
  throw new DhaaraError('DHAARA_SOURCE_POSITION', message)
}

/** Rows on their way to the task as bytes: which columns they have, then the record. */
function withId(id: number, line: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(2 + line.length)
  bytes.writeUInt16BE(id)
  bytes.set(line, 2)
  return bytes
}

class Rows {
  private readonly headers: (readonly string[])[] = []
  private readonly typed: Readonly<Record<string, CsvType>>
  private readonly delimiter: string

  constructor(typed: Readonly<Record<string, CsvType>>, delimiter: string) {
    this.typed = typed
    this.delimiter = delimiter
  }

  idOf(columns: readonly string[]): number {
    const known = this.headers.findIndex((other) => other.join('\0') === columns.join('\0'))
    return known >= 0 ? known : this.headers.push(columns) - 1
  }

  /** In the test driver rows go round as JSON. */
  serde(checked: Serde<unknown> | undefined): Serde<unknown> {
    return serdes.from({
      serialize: (row) => Buffer.concat([Buffer.of(0xff, 0xff), Buffer.from(JSON.stringify(row))]),
      deserialize: (bytes, source) => {
        const buf = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
        const id = buf.readUInt16BE(0)
        const text = buf.toString('utf8', 2)
        const row =
          id === 0xffff ? (JSON.parse(text) as unknown) : this.row(text, this.headers[id] as readonly string[])
        return checked === undefined ? row : checked.deserialize(Buffer.from(JSON.stringify(row)), source)
      },
    })
  }

  private row(text: string, columns: readonly string[]): Record<string, unknown> {
    const fields = fieldsOf(text, this.delimiter)
    if (fields.length !== columns.length) {
      const message = `found ${fields.length} fields in ${JSON.stringify(text.slice(0, 80))}; expected ${columns.length}: ${columns.join(', ')}`
      throw new DhaaraError('DHAARA_DESERIALIZE', message)
    }
    const row: Record<string, unknown> = {}
    for (const [i, column] of columns.entries())
      row[column] = valueOf(fields[i] as string, this.typed[column] ?? 'text', column)
    return row
  }
}

function valueOf(field: string, type: CsvType, column: string): unknown {
  if (type === 'text') return field
  if (field === '') return null
  const value = parsed(field, type)
  if (value !== undefined) return value
  throw new DhaaraError(
    'DHAARA_DESERIALIZE',
    `column '${column}': found ${JSON.stringify(field.slice(0, 40))}; expected a ${type}`,
  )
}

function parsed(field: string, type: CsvType): unknown {
  switch (type) {
    case 'number': {
      const number = Number(field)
      return Number.isNaN(number) || field.trim() === '' ? undefined : number
    }
    case 'bigint':
      return /^\s*[-+]?\d+\s*$/.test(field) ? BigInt(field.trim().replace(/^\+/, '')) : undefined
    case 'boolean':
      return /^(true|t|1|yes)$/i.test(field) ? true : /^(false|f|0|no)$/i.test(field) ? false : undefined
    case 'date': {
      const date = new Date(field)
      return Number.isNaN(date.getTime()) ? undefined : date
    }
    default:
      try {
        return JSON.parse(field) as unknown
      } catch {
        return undefined
      }
  }
}

/**
 * Writes CSV files, each committed record once: see `jsonLinesSink`. Null values are left out.
 *
 * @example totals.toStream().sink(csvSink({ path: 'totals.csv', columns: ['customer', 'total'] }), { name: 'totals-csv' })
 * @throws DhaaraError DHAARA_OPTION
 */
export function csvSink<K = any, V = any>(given: CsvSinkOptions): SinkConnector<K, V> {
  const { batchRecords, columns, header, delimiter = ',', ...options } = sinkOptions.read('csvSink', given)
  const head = header
    ? Buffer.from(`${columns.map((column) => fieldText(column, delimiter)).join(delimiter)}\n`)
    : undefined
  return {
    connector: 'csv',
    batchRecords,
    value: {
      serialize: (value: any) => {
        if (typeof value === 'object' && value !== null)
          return Buffer.from(`${columns.map((column) => fieldText(value[column], delimiter)).join(delimiter)}\n`)
        throw new DhaaraError(
          'DHAARA_SINK_RECORD',
          `csvSink: found ${typeof value}; expected an object with the properties ${columns.join(', ')}`,
        )
      },
    },
    create: () => new FileSink('csvSink', { ...options, head, encode }),
  }
}

const encode = ({ values }: SinkBatch<unknown, Uint8Array | null>): Buffer =>
  Buffer.concat(values.filter((value) => value !== null))

export const csvInfo: readonly ConnectorInfo[] = [
  {
    name: 'csvSource',
    role: 'source',
    about: 'CSV files (RFC 4180): a row is an object with a property a column.',
    guarantee: 'Exactly once: a position is a file and a byte of it, found again under other names.',
    options: sourceOptions,
  },
  {
    name: 'csvSink',
    role: 'sink',
    about: 'CSV files.',
    guarantee: 'Exactly once: after a crash the file is cut to what was committed.',
    options: sinkOptions,
  },
]
