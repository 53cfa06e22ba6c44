/** What the page's sections are made of. */
import type { ThroughputLine } from '../harness/report.ts'
import { barChart, short } from './svg.ts'

/** Puts a plot beside the page. @returns the line that shows it */
export type Plot = (name: string, content: string, alt: string) => string

export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  numbers: readonly number[],
): string {
  const row = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  const rule = head.map((_, i) => (numbers.includes(i) ? '---:' : '---'))
  return [row(head), row(rule), ...rows.map(row)].join('\n')
}

export const percent = (share: number): string => `${(share * 100).toFixed(0)} %`
export const named = ({ subject, variant }: ThroughputLine): string =>
  variant === 'default' ? subject : `${subject} (${variant})`

/** Cells that tables share. */
export const ratio = (value: number | undefined): string => value?.toFixed(2) ?? ''
export const right = ({ correct }: { readonly correct: boolean }): string => (correct ? 'yes' : 'NO')

/** A bar a line: what a CPU second brings, the engine's in its own colour. */
export const perCpuSecond = (title: string, lines: readonly ThroughputLine[]): string =>
  barChart(
    title,
    lines.map((line) => ({
      label: named(line),
      value: line.recordsPerCpuSecond,
      text: short(line.recordsPerCpuSecond),
      group: line.subject === 'dhaara' ? 0 : 4,
    })),
  )

/** Of what was held to whom, with what ratio. */
export const heldHead: readonly string[] = ['case', 'subject', 'against', 'ratio', 'of']
export const heldCells = (line: ThroughputLine): string[] => [
  line.case,
  named(line),
  line.against!,
  ratio(line.ratio),
  line.ratioOf!,
]

/** Lines with a ratio, against whom. */
export const held = (lines: readonly ThroughputLine[]): string =>
  table(
    [...heldHead, 'spread'],
    lines.map((line) => [...heldCells(line), percent(line.spread)]),
    [3, 5],
  )
