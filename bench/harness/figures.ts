/** What a line of a report is held to another report by. */
import { median } from './statistics.ts'

/** A line as any suite prints it: what it has of these depends on the suite. */
export interface ReportLine {
  readonly suite: string
  readonly case: string
  readonly subject?: string
  readonly variant?: string
  readonly size?: number
  readonly against?: string
  readonly ratio?: number
  readonly rates?: readonly number[]
  readonly ratesAgainst?: readonly number[]
  readonly recordsPerSecond?: number
  readonly nsPerEvent?: number
  readonly p50Ms?: number
  readonly spread?: number
  readonly correct?: boolean
}

export interface Figure {
  readonly of: 'ratio' | 'rate' | 'time'
  /** Of each run; of a line that does not tell them, its one figure, with its spread to both sides. The higher, the better. */
  readonly values: readonly number[]
}

/**
 * A ratio to the yardstick rather than a rate: rates of two invocations differ as the machine does. `ratio` counts as it stands in
 * the line; the runs tell how it is spread. undefined: there is nothing in the line that could be compared.
 */
export function figureOf(line: ReportLine): Figure | undefined {
  const figure = figureIn(line)
  return figure?.values.length && figure.values.every((value) => value > 0) ? figure : undefined
}

function figureIn(line: ReportLine): Figure | undefined {
  const { against, ratio, rates, ratesAgainst, recordsPerSecond, nsPerEvent, p50Ms } = line
  if (ratesAgainst !== undefined && rates !== undefined) {
    const runs = rates.map((rate, i) => rate / ratesAgainst[i]!)
    const scale = ratio === undefined ? 1 : ratio / (median(rates) / median(ratesAgainst))
    return { of: 'ratio', values: runs.map((value) => value * scale) }
  }
  if (rates !== undefined) return { of: 'rate', values: rates }
  const time = nsPerEvent ?? p50Ms
  if (time !== undefined) return { of: 'time', values: around(1 / time, line) }
  if (ratio !== undefined && against !== undefined) return { of: 'ratio', values: around(ratio, line) }
  if (recordsPerSecond !== undefined) return { of: 'rate', values: around(recordsPerSecond, line) }
  return undefined
}

const around = (value: number, { spread = 0 }: ReportLine): number[] =>
  spread > 0 && spread < 2 ? [value * (1 - spread / 2), value, value * (1 + spread / 2)] : [value]

/** Lines of one name are held against each other. */
export const nameOf = ({ suite, case: name, subject, variant, against, size }: ReportLine): string =>
  [
    suite,
    name,
    ...(subject === undefined ? [] : [subject]),
    ...(variant === undefined || variant === 'default' || variant === String(size) ? [] : [variant]),
    ...(size === undefined ? [] : [size]),
    ...(against === undefined ? [] : [`/ ${against}`]),
  ].join(' ')
