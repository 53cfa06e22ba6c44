/** Plots as SVG text: bars and lines, no script, readable on a light and on a dark page. */

export interface Bar {
  readonly label: string
  readonly value: number
  /** As text at the bar's end. */
  readonly text: string
  /** Which of the colours: of equal meaning, equal. */
  readonly group: number
}

export interface Series {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

const colours = ['#2f6fde', '#d9822b', '#3a9d5d', '#a14fc4', '#8a8a8a', '#c23b3b']
const font = 'font-family="sans-serif" font-size="12" fill="#777"'
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
const round = (value: number): string => Number(value.toFixed(1)).toString()
const colourOf = (group: number): string => colours[group % colours.length]!

function svg(width: number, height: number, title: string, body: readonly string[]): string {
  const open = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" role="img">`
  return [open, `<title>${escaped(title)}</title>`, ...body, '</svg>', ''].join('\n')
}

const text = (x: number, y: number, value: string, anchor: 'start' | 'middle' | 'end' = 'start'): string =>
  `<text x="${round(x)}" y="${round(y)}" ${font} text-anchor="${anchor}">${escaped(value)}</text>`

const line = (x1: number, y1: number, x2: number, y2: number, stroke: string, more = ''): string =>
  `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${stroke}" ${more}/>`

/** Horizontal bars from 0 on; `mark` draws a line at a value, for what the others are held against. */
export function barChart(title: string, bars: readonly Bar[], mark?: number): string {
  const [left, right, step] = [220, 90, 22]
  const width = 760
  const height = 30 + bars.length * step + 10
  const most = Math.max(mark ?? 0, ...bars.map(({ value }) => value))
  const x = (value: number): number => left + (value / most) * (width - left - right)
  const rows = bars.flatMap((bar, i) => {
    const y = 30 + i * step
    return [
      text(left - 8, y + 13, bar.label, 'end'),
      `<rect x="${left}" y="${y}" width="${round(x(bar.value) - left)}" height="${step - 5}" fill="${colourOf(bar.group)}"/>`,
      text(x(bar.value) + 6, y + 13, bar.text),
    ]
  })
  const marked = mark === undefined ? [] : [line(x(mark), 24, x(mark), height - 6, '#777', 'stroke-dasharray="4 3"')]
  return svg(width, height, title, [text(8, 16, title), ...rows, ...marked])
}

export interface Axes {
  readonly x: string
  readonly y: string
  /** Of both axes, unless said otherwise. */
  readonly linear?: 'x' | 'y' | 'both'
}

/** Lines over two axes, logarithmic where nothing else is said. @throws RangeError: a value that has no logarithm */
export function lineChart(title: string, series: readonly Series[], axes: Axes): string {
  const [width, height, left, right, top, bottom] = [760, 340, 70, 170, 34, 46]
  const x = scale(
    series.flatMap(({ points }) => points.map(([at]) => at)),
    left,
    width - right,
    isLinear(axes, 'x'),
  )
  const y = scale(
    series.flatMap(({ points }) => points.map(([, at]) => at)),
    height - bottom,
    top,
    isLinear(axes, 'y'),
  )
  const grid = [
    ...x.ticks.flatMap((at) => [
      line(x.of(at), top, x.of(at), height - bottom, '#8884'),
      text(x.of(at), height - bottom + 16, short(at), 'middle'),
    ]),
    ...y.ticks.flatMap((at) => [
      line(left, y.of(at), width - right, y.of(at), '#8884'),
      text(left - 6, y.of(at) + 4, short(at), 'end'),
    ]),
  ]
  const drawn = series.flatMap(({ name, points }, i) => {
    const places = points.map(([px, py]) => `${round(x.of(px))},${round(y.of(py))}`)
    const dots = places.map((place) => {
      const [cx, cy] = place.split(',')
      return `<circle cx="${cx}" cy="${cy}" r="3" fill="${colourOf(i)}"/>`
    })
    return [
      `<polyline points="${places.join(' ')}" fill="none" stroke="${colourOf(i)}" stroke-width="2"/>`,
      ...dots,
      `<rect x="${width - right + 14}" y="${top + i * 20}" width="10" height="10" fill="${colourOf(i)}"/>`,
      text(width - right + 30, top + i * 20 + 10, name),
    ]
  })
  const names = [
    text(8, 16, title),
    text((left + width - right) / 2, height - 8, axes.x, 'middle'),
    text(left - 6, top - 8, axes.y, 'end'),
  ]
  return svg(width, height, title, [...names, ...grid, ...drawn])
}

const isLinear = ({ linear }: Axes, axis: 'x' | 'y'): boolean => linear === axis || linear === 'both'

function scale(values: readonly number[], from: number, to: number, linear: boolean) {
  if (!linear && values.some((value) => !(value > 0))) throw new RangeError('A logarithmic axis needs values above 0')
  const of = linear ? (value: number): number => value : Math.log10
  const low = linear ? 0 : Math.floor(of(Math.min(...values)))
  const high = linear ? Math.max(...values) : Math.max(low + 1, Math.ceil(of(Math.max(...values))))
  const ticks = linear
    ? Array.from({ length: 6 }, (_, i) => (high / 5) * i)
    : Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i))
  return { ticks, of: (value: number): number => from + ((of(value) - low) / (high - low || 1)) * (to - from) }
}

/** 1200 as 1.2 k */
export function short(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))} M`
  if (value >= 1e3) return `${Number((value / 1e3).toPrecision(3))} k`
  return String(Number(value.toPrecision(3)))
}
