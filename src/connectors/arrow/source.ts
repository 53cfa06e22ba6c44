import { createReadStream } from 'node:fs'
import type { RecordBatch } from 'apache-arrow'
import type { Source } from '../../dsl/connect/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import { type ConnectorInfo, declare, loadPeer, type OptionsOf, text, texts } from '../options/index.ts'

const options = declare({
  path: texts(
    'The file, or several: each is a partition. IPC files and IPC streams are told apart by themselves.',
  ).required(),
  timestamp: text(
    'Column with epoch milliseconds or timestamps. Default: the clock, or the `timestamp` of the source.',
  ),
  key: text('Column with the key. Default: none, or the `keyOf` of the source.'),
})

export type ArrowSourceOptions = OptionsOf<typeof options>

/** The record batch of a file that comes next. */
export interface ArrowPosition {
  readonly batch: number
}

/**
 * Reads Arrow IPC files: a value is an object with a property a column. Keys and timestamps are read by the column.
 *
 * @example builder.source('trades', arrowSource<Trade>({ path: 'trades.arrow', timestamp: 'at', key: 'symbol' }))
 * @throws DhaaraError DHAARA_OPTION
 */
export function arrowSource<T extends object = Readonly<Record<string, unknown>>, K = unknown>(
  given: ArrowSourceOptions,
): Source<K, T, ArrowPosition> {
  const { path: paths, timestamp, key } = options.read('arrowSource', given)
  return {
    connector: 'arrow',
    partitions: paths.length,
    async *read(position, signal, { partition }) {
      const { RecordBatchReader } = await loadPeer('apache-arrow', 'arrowSource', () => import('apache-arrow'))
      const path = paths[partition] as string
      const reader = await RecordBatchReader.from(createReadStream(path)).catch((cause: unknown) => {
        throw unreadable(path, cause)
      })
      const skip = position?.batch ?? 0
      let n = 0
      for await (const batch of readable(reader, path)) {
        if (signal.aborted) return
        if (n++ < skip) continue
        yield {
          values: rowsOf<T>(batch),
          ...(key === undefined ? {} : { keys: column(batch, key, path) as K[] }),
          ...(timestamp === undefined ? {} : { timestamps: timesOf(column(batch, timestamp, path)) }),
          position: { batch: n },
        }
      }
      if (n < skip) throw gone(path, skip, n)
    },
  }
}

/** What is no Arrow shows only when it is read. */
async function* readable(reader: AsyncIterable<RecordBatch>, path: string): AsyncGenerator<RecordBatch> {
  const batches = reader[Symbol.asyncIterator]()
  for (;;) {
    const next = await batches.next().catch((cause: unknown) => {
      throw unreadable(path, cause)
    })
    if (next.done) return
    yield next.value
  }
}

/** Objects of one shape, filled column by column. */
function rowsOf<T>(batch: RecordBatch): T[] {
  const rows = Array.from({ length: batch.numRows }, () => ({}) as Record<string, unknown>)
  for (const [i, { name }] of batch.schema.fields.entries()) {
    const vector = batch.getChildAt(i)
    for (let row = 0; row < rows.length; row++) (rows[row] as Record<string, unknown>)[name] = plain(vector?.get(row))
  }
  return rows as T[]
}

/** What Arrow gives for lists and structs, as plain data. */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date || ArrayBuffer.isView(value)) return value
  if ('toJSON' in value && typeof value.toJSON === 'function') return (value.toJSON as () => unknown)()
  return value
}

function column(batch: RecordBatch, name: string, path: string): unknown[] {
  const vector = batch.getChild(name)
  if (vector !== null) return Array.from(vector, plain)
  const there = batch.schema.fields.map((field) => field.name).join(', ')
  throw new DhaaraError('DHAARA_SOURCE_RECORD', `${path} has no column '${name}'; it has ${there}`)
}

const timesOf = (values: readonly unknown[]): number[] =>
  values.map((value) => (value instanceof Date ? value.getTime() : Number(value)))

const unreadable = (path: string, cause: unknown): DhaaraError =>
  new DhaaraError('DHAARA_SOURCE_POSITION', `${path} could not be read as Arrow IPC: ${(cause as Error).message}`, {
    cause,
  })

const gone = (path: string, wanted: number, found: number): DhaaraError =>
  new DhaaraError(
    'DHAARA_SOURCE_POSITION',
    `${path} has ${found} record batches, and ${wanted} were read before: it is another file. Put back the one that was read`,
  )

export const arrowSourceInfo: ConnectorInfo = {
  name: 'arrowSource',
  role: 'source',
  about: 'Arrow IPC files: a row is an object with a property a column.',
  guarantee: 'Exactly once: a position is a record batch of a file.',
  peer: 'apache-arrow',
  options,
}
