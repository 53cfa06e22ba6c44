/** What the page's sections are made of. */
import type { ThroughputLine } from '../harness/report.ts'

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
