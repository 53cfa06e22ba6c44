import { type Cells, cellsOf, csvText, type JsonRow } from '../../engine/query/index.ts'

export type TableFormat = 'table' | 'json' | 'csv'

/** Rows of a store as a table for people, JSON lines or CSV. */
export function rowsText(rows: readonly JsonRow[], format: TableFormat): string {
  if (format === 'json') return rows.map(({ key, value }) => `{"key":${key},"value":${value}}\n`).join('')
  const all = cellsOf(rows)
  return format === 'csv' ? csvText(all) : table(all)
}

function table({ columns, cells }: Cells): string {
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
