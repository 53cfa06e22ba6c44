import type * as arrows from 'apache-arrow'
import type { DataType, RecordBatch, Schema } from 'apache-arrow'
import { DhaaraError } from '../../errors/index.ts'

export type Arrow = typeof arrows

/** Types of columns by name. */
export const columnTypes = ['text', 'float64', 'int32', 'int64', 'bool', 'timestamp'] as const
export type ArrowType = (typeof columnTypes)[number]

export function schemaOf(
  { Schema, Field, Utf8, Float64, Int32, Int64, Bool, TimestampMillisecond }: Arrow,
  columns: Readonly<Record<string, ArrowType>>,
): Schema {
  const types: Record<ArrowType, () => DataType> = {
    text: () => new Utf8(),
    float64: () => new Float64(),
    int32: () => new Int32(),
    int64: () => new Int64(),
    bool: () => new Bool(),
    timestamp: () => new TimestampMillisecond(),
  }
  return new Schema(Object.entries(columns).map(([name, type]) => new Field(name, types[type](), true)))
}

/** What the sink is told of one record, a column each. */
export type Cells = readonly unknown[][]

/** A record batch, built column by column: no row is made. */
export function batchOf(arrow: Arrow, schema: Schema, cells: Cells, rows: number): RecordBatch {
  const children = schema.fields.map((field, i) => {
    const builder = arrow.makeBuilder({ type: field.type, nullValues: [null, undefined] })
    const column = cells[i] as unknown[]
    for (let row = 0; row < rows; row++) builder.append(cell(column[row], field.name, String(field.type)))
    return builder.finish().flush()
  })
  const struct = new arrow.Struct(schema.fields)
  return new arrow.RecordBatch(schema, arrow.makeData({ type: struct, length: rows, nullCount: 0, children }))
}

function cell(value: unknown, name: string, type: string): unknown {
  if (value === null || value === undefined) return null
  if (type.startsWith('Utf8')) return typeof value === 'string' ? value : JSON.stringify(value)
  if (type.startsWith('Int64')) {
    if (typeof value === 'bigint') return value
    if (Number.isSafeInteger(value)) return BigInt(value as number)
  } else if (type.startsWith('Timestamp')) {
    if (value instanceof Date) return value.getTime()
    if (typeof value === 'number') return value
  } else if (type.startsWith('Bool')) {
    if (typeof value === 'boolean') return value
  } else if (typeof value === 'number') return value
  throw new DhaaraError('DHAARA_SINK_RECORD', `arrowSink: column '${name}' of type ${type}: found ${String(value)}`)
}
