/**
 * Arrow IPC streams, each committed record once. A stream can be appended to (schema, record batches, end), so the file is
 * cut to what was committed after a crash, as that of JSON lines; its end mark is written when the sink is closed, and is no
 * part of the committed length.
 */
import type { RecordBatchStreamWriter, Schema } from 'apache-arrow'
import type { Sink, SinkBatch, SinkConnector, SinkTask } from '../../dsl/connect/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import { FileSink } from '../files/file-sink.ts'
import { fileSinkOptions } from '../files/options.ts'
import { type ConnectorInfo, declare, fn, loadPeer, object, type OptionsOf } from '../options/index.ts'
import { type Arrow, type ArrowType, batchOf, columnTypes, schemaOf } from './columns.ts'

const options = declare({
  path: fileSinkOptions.path,
  existing: fileSinkOptions.existing,
  sync: fileSinkOptions.sync,
  batchRecords: fileSinkOptions.batchRecords,
  columns: object<Readonly<Record<string, ArrowType>>>(
    `{column: ${columnTypes.map((type) => `'${type}'`).join(' | ')}}`,
    'Columns and their types, in this order. All may be null.',
  ).required(),
  of: fn<(value: any, column: string, key: any, timestamp: number) => unknown>(
    '(value, column, key, timestamp) => cell',
    'What of a record goes into a column. Default: the property of that name.',
  ),
})

export type ArrowSinkOptions<K = any, V = any> = Omit<OptionsOf<typeof options>, 'of'> & {
  readonly of?: (value: NonNullable<V>, column: string, key: K, timestamp: number) => unknown
}

/**
 * Writes Arrow IPC stream files, a record batch a batch, column by column.
 *
 * @example trades.sink(arrowSink({ path: 'trades.arrows', columns: { symbol: 'text', price: 'float64', at: 'timestamp' } }), { name: 'trades-arrow' })
 * @throws DhaaraError DHAARA_OPTION
 */
export function arrowSink<K = any, V = any>(given: ArrowSinkOptions<K, V>): SinkConnector<K, V> {
  const used = options.read('arrowSink', given as OptionsOf<typeof options>)
  for (const [column, type] of Object.entries(used.columns)) {
    if (columnTypes.includes(type)) continue
    throw new DhaaraError(
      'DHAARA_OPTION',
      `arrowSink: columns.${column}: found ${JSON.stringify(type)}; expected one of ${columnTypes.join(', ')}`,
    )
  }
  return { connector: 'arrow', batchRecords: used.batchRecords, create: () => new ArrowSink(used) }
}

class ArrowSink implements Sink<any, any> {
  private readonly used: ReturnType<typeof options.read>
  private arrow: Arrow | undefined
  private schema: Schema | undefined
  private file: FileSink | undefined

  constructor(used: ReturnType<typeof options.read>) {
    this.used = used
  }

  async open(task: SinkTask): Promise<void> {
    const arrow = await loadPeer('apache-arrow', 'arrowSink', () => import('apache-arrow'))
    const schema = schemaOf(arrow, this.used.columns)
    const empty = encoded(arrow, schema, () => {})
    const { existing, path, sync } = this.used
    this.arrow = arrow
    this.schema = schema
    const head = empty.subarray(0, empty.length - endMark.length)
    this.file = new FileSink('arrowSink', {
      path,
      existing,
      sync,
      rollBytes: undefined,
      head,
      encode: (batch) => this.encode(batch, head.length),
    })
    await this.file.open(task)
  }

  async write(batch: SinkBatch<any, any>): Promise<void> {
    await this.file?.write(batch)
  }

  async commit(epoch: number): Promise<void> {
    await this.file?.commit(epoch)
  }

  async recover(epoch: number): Promise<void> {
    await this.file?.recover(epoch)
  }

  async close(): Promise<void> {
    await this.file?.finish(endMark)
    await this.file?.close()
  }

  private encode(batch: SinkBatch<any, any>, head: number): Buffer {
    const { used } = this
    const [arrow, schema] = [this.arrow as Arrow, this.schema as Schema]
    const { of = property } = used
    const rows: number[] = []
    for (let i = 0; i < batch.length; i++) if (batch.values[i] !== null) rows.push(i)
    const cells = Object.keys(used.columns).map((column) =>
      rows.map((i) => of(batch.values[i], column, batch.keys[i], batch.timestamps[i] as number)),
    )
    if (rows.length === 0) return Buffer.alloc(0)
    const bytes = encoded(arrow, schema, (writer) => void writer.write(batchOf(arrow, schema, cells, rows.length)))
    return bytes.subarray(head, bytes.length - endMark.length)
  }
}

const property = (value: Record<string, unknown>, column: string): unknown => value[column]

/** What ends a stream: a continuation mark, and the length 0. */
const endMark = Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])

function encoded(arrow: Arrow, schema: Schema, write: (writer: RecordBatchStreamWriter) => void): Buffer {
  const writer = new arrow.RecordBatchStreamWriter()
  writer.reset(undefined, schema)
  write(writer)
  writer.finish()
  const bytes = writer.toUint8Array(true)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

export const arrowSinkInfo: ConnectorInfo = {
  name: 'arrowSink',
  role: 'sink',
  about: 'Arrow IPC stream files, made column by column.',
  guarantee: 'Exactly once: after a crash the file is cut to what was committed.',
  peer: 'apache-arrow',
  options,
}
