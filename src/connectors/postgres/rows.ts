import type { SinkBatch } from '../../dsl/connect/index.ts'
import { DhaaraError } from '../../errors/index.ts'

export type Row = Readonly<Record<string, unknown>>

export interface RowOptions {
  /** Columns that tell a row from others. */
  readonly key: readonly string[]
  readonly row: ((value: never, key: never, timestamp: number) => Row) | undefined
}

/** A batch as it is to be written: of each key the last change alone; one statement must not meet a row twice. */
export interface Changes {
  readonly upserts: readonly Row[]
  /** Key columns of rows to be deleted. */
  readonly deletes: readonly Row[]
}

export function changesOf(
  batch: SinkBatch<unknown, unknown>,
  { key: columns, row }: RowOptions,
  connector: string,
): Changes {
  const last = new Map<string, { readonly row: Row; readonly gone: boolean }>()
  const upserts: Row[] = []
  for (let i = 0; i < batch.length; i++) {
    const [value, key] = [batch.values[i], batch.keys[i]]
    const gone = value === null
    const made = gone
      ? keyRow(key, columns, connector)
      : row === undefined
        ? value
        : row(value as never, key as never, batch.timestamps[i] as number)
    if (typeof made !== 'object' || made === null) throw noRow(connector, made)
    if (columns.length === 0) upserts.push(made as Row)
    else {
      const id = json(columns.map((column) => (made as Row)[column]))
      // what came later goes later
      last.delete(id)
      last.set(id, { row: made as Row, gone })
    }
  }
  const deletes: Row[] = []
  for (const { row: one, gone } of last.values()) (gone ? deletes : upserts).push(one)
  return { upserts, deletes }
}

/** Of a deletion only the key is there. */
function keyRow(key: unknown, columns: readonly string[], connector: string): Row {
  if (columns.length === 0) {
    const message = `${connector}: found a deletion, and no key columns to find the row by; give {key: […]}, or drop deletions with filter()`
    throw new DhaaraError('DHAARA_SINK_RECORD', message)
  }
  if (columns.length === 1 && (typeof key !== 'object' || key instanceof Date)) return { [columns[0] as string]: key }
  if (Array.isArray(key) && key.length === columns.length)
    return Object.fromEntries(columns.map((column, i) => [column, key[i]]))
  if (typeof key === 'object' && key !== null && columns.every((column) => column in key)) return key as Row
  const message = `${connector}: found a deletion under the key ${json(key)}; expected the columns ${columns.join(', ')}: their values in this order, or an object with them`
  throw new DhaaraError('DHAARA_SINK_RECORD', message)
}

const noRow = (connector: string, made: unknown): DhaaraError =>
  new DhaaraError(
    'DHAARA_SINK_RECORD',
    `${connector}: found ${json(made)}; expected an object with a property a column, or {row: (value) => …} that makes one`,
  )

/** As PostgreSQL reads it back into columns: whatever JSON has no word for goes as text. */
export function json(value: unknown): string {
  return (
    JSON.stringify(value, (_, part: unknown) => {
      if (typeof part === 'bigint') return String(part)
      if (typeof part === 'number' && !Number.isFinite(part)) return String(part)
      if (part instanceof Uint8Array) return `\\x${Buffer.from(part).toString('hex')}`
      return part
    }) ?? 'null'
  )
}
