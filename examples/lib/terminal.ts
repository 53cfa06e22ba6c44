/** Where a report is shown: how wide, and whether colours mean anything there. */
export interface Style {
  readonly width: number
  readonly colour: boolean
}

/** Of a stream: colours on a terminal only, and not where `NO_COLOR` asks for none. */
export function styleOf(stream: { readonly isTTY?: boolean; readonly columns?: number } = process.stdout): Style {
  const terminal = stream.isTTY === true
  return { width: (terminal && stream.columns) || 100, colour: terminal && !process.env.NO_COLOR }
}

export type Colour = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

const CODES: Record<Colour, string> = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33', cyan: '36' }

export function paint(text: string, colour: Colour, style: Style): string {
  return style.colour ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text
}

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
  /** Takes what is left of the width; cells are then made by `bar`. */
  readonly bar?: boolean
}

/** Text, or text with a colour of its own. In a bar's column: a share from 0 to 1. */
export type Cell = string | number | { readonly text: string; readonly colour: Colour }

const GAP = '  '
const MIN_BAR = 8
const MAX_BAR = 40

/** A table under its title; where the width does not do, the widest columns are cut. */
export function table(
  title: string,
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  style: Style,
): string {
  const heading = paint(title, 'bold', style)
  if (rows.length === 0) return `${heading}\n${paint('none', 'dim', style)}\n`
  const widths = fit(columns, rows, style.width)
  const titles = columns.map((column, i) => paint(pad(column.title, widths[i] as number, column), 'dim', style))
  const lines = rows.map((row) =>
    columns.map((column, i) => {
      const cell = row[i] ?? ''
      const width = widths[i] as number
      if (column.bar) return paint(bar(Number(cell), width), 'cyan', style)
      const padded = pad(textOf(cell), width, column)
      return typeof cell === 'object' ? paint(padded, cell.colour, style) : padded
    }),
  )
  return `${[heading, ...[titles, ...lines].map((cells) => cells.join(GAP).trimEnd())].join('\n')}\n`
}

/** A bar in eighths of a character. */
export function bar(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8)
  const rest = eighths % 8
  const drawn = '█'.repeat(Math.floor(eighths / 8)) + (rest === 0 ? '' : '▏▎▍▌▋▊▉'.charAt(rest - 1))
  return drawn.padEnd(width)
}

/** 1234567 -> 12,34,567: digits grouped the Indian way. */
export function grouped(n: number): string {
  const digits = String(Math.abs(n))
  const head = digits.slice(0, -3).replace(/\B(?=(\d{2})+$)/g, ',')
  return `${n < 0 ? '-' : ''}${head === '' ? '' : `${head},`}${digits.slice(-3)}`
}

/** Paise as whole rupees. */
export function money(paise: number): string {
  return `₹${grouped(Math.floor(paise / 100))}`
}

function fit(columns: readonly Column[], rows: readonly (readonly Cell[])[], width: number): number[] {
  const widths = columns.map((column, i) =>
    column.bar ? MIN_BAR : Math.max(column.title.length, ...rows.map((row) => textOf(row[i] ?? '').length)),
  )
  const total = () => widths.reduce((sum, w) => sum + w, GAP.length * (columns.length - 1))
  while (total() > width) {
    const widest = widths.indexOf(Math.max(...widths))
    if ((widths[widest] as number) <= 3) break
    widths[widest] = (widths[widest] as number) - 1
  }
  const growing = columns.findIndex((column) => column.bar)
  if (growing >= 0) widths[growing] = Math.min(MAX_BAR, (widths[growing] as number) + Math.max(0, width - total()))
  return widths
}

function textOf(cell: Cell): string {
  return typeof cell === 'object' ? cell.text : String(cell)
}

function pad(text: string, width: number, column: Column): string {
  const cut = text.length > width ? `${text.slice(0, width - 1)}…` : text
  return column.align === 'right' ? cut.padStart(width) : cut.padEnd(width)
}
