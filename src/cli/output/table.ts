import type { JsonRow } from '../query/answer.ts'

export type TableFormat = 'table' | 'json' | 'csv'

/** Rows of a store as a table for people, JSON lines or CSV. */
export function rowsText(rows: readonly JsonRow[], format: TableFormat): string {
  if (format === 'json') return rows.map(({ key, value }) => `{"key":${key},"value":${value}}\n`).join('')
  const { columns, cells } = cellsOf(rows)
  return format === 'csv' ? csv(columns, cells) : table(columns, cells)
}

/** Windowed keys take three columns; objects one a property. */
function cellsOf(rows: readonly JsonRow[]): { columns: readonly string[]; cells: readonly (readonly string[])[] } {
  const columns: string[] = []
  const flat = rows.map(({ key, value }) => {
    const row = new Map<string, string>()
    const keyPart = JSON.parse(key) as unknown
    if (isWindowed(keyPart)) {
      row.set('key', text(keyPart.key))
      row.set('window start', timeText(keyPart.window.start))
      row.set('window end', timeText(keyPart.window.end))
    } else row.set('key', text(keyPart))
    const valuePart = JSON.parse(value) as unknown
    if (typeof valuePart !== 'object' || valuePart === null || Array.isArray(valuePart))
      row.set('value', text(valuePart))
    else
      for (const [name, part] of Object.entries(valuePart))
        row.set(name in { key: 0 } ? `value.${name}` : name, text(part))
    for (const name of row.keys()) if (!columns.includes(name)) columns.push(name)
    return row
  })
  return { columns, cells: flat.map((row) => columns.map((name) => row.get(name) ?? '')) }
}

interface WindowedKey {
  readonly key: unknown
  readonly window: { readonly start: number; readonly end: number | null }
}

const isWindowed = (key: unknown): key is WindowedKey =>
  typeof key === 'object' && key !== null && 'window' in key && 'key' in key

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
const timeText = (ms: number | null): string => (ms === null ? '' : new Date(ms).toISOString())

function csv(columns: readonly string[], cells: readonly (readonly string[])[]): string {
  const cell = (value: string): string => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)
  return [columns, ...cells].map((row) => `${row.map(cell).join(',')}\n`).join('')
}

function table(columns: readonly string[], cells: readonly (readonly string[])[]): string {
  if (cells.length === 0) return 'no rows\n'
  const widths = columns.map((name, i) =>
    cells.reduce((most, row) => Math.max(most, (row[i] as string).length), name.length),
  )
  const line = (row: readonly string[]): string =>
    `${row
      .map((cell, i) => (isNumber(cell) ? cell.padStart(widths[i] as number) : cell.padEnd(widths[i] as number)))
      .join('  ')
      .trimEnd()}\n`
  return [columns, widths.map((width) => '-'.repeat(width)), ...cells].map(line).join('')
}

const isNumber = (cell: string): boolean => /^-?\d+(\.\d+)?$/.test(cell)
