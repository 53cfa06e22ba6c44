/** A row as JSON texts. */
export interface JsonRow {
  readonly key: string
  readonly value: string
}

/** Rows as the cells of a table. */
export interface Cells {
  readonly columns: readonly string[]
  readonly cells: readonly (readonly string[])[]
}

interface WindowedKey {
  readonly key: unknown
  readonly window: { readonly start: number; readonly end: number | null }
}

/** Windowed keys take three columns, times as ISO 8601; values that are objects one a property. */
export function cellsOf(rows: readonly JsonRow[]): Cells {
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

/** RFC 4180, but for the line breaks: those are \n. */
export function csvText({ columns, cells }: Cells): string {
  const cell = (value: string): string => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)
  return [columns, ...cells].map((row) => `${row.map(cell).join(',')}\n`).join('')
}

const isWindowed = (key: unknown): key is WindowedKey =>
  typeof key === 'object' && key !== null && 'key' in key && 'window' in key && isTimed(key.window)

function isTimed(window: unknown): window is WindowedKey['window'] {
  if (typeof window !== 'object' || window === null || !('start' in window) || !('end' in window)) return false
  return isTime(window.start) && (window.end === null || isTime(window.end))
}

const isTime = (at: unknown): boolean => typeof at === 'number' && !Number.isNaN(new Date(at).getTime())

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
const timeText = (ms: number | null): string => (ms === null ? '' : new Date(ms).toISOString())
