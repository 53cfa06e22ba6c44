/**
 * `npm run bench -- compare a.json b.json`: what changed from one report (`--json`) to another.
 *
 * Rates of two invocations say little, since the machine changes meanwhile. So where both have a yardstick, what is compared are
 * the ratios to it, run by run; else rates, or (latency) how long it takes half of the records. `unchanged` means that the interval
 * holds 1; of a line that was run once there is none, and it is taken at its word.
 */
import { ratioInterval } from './harness/confidence.ts'
import { type Figure, figureOf, nameOf, type ReportLine } from './harness/figures.ts'
import { readLines } from './harness/read-lines.ts'

export interface Change {
  readonly name: string
  /** b / a, as ratios to the yardstick, as rates, or as events in the time that one takes. */
  readonly estimate: number
  readonly low: number
  readonly high: number
  readonly level: number
  readonly of: Figure['of']
  readonly verdict: 'faster' | 'slower' | 'unchanged'
}

/** Every line of `b` that has one of the same name, and with a figure of the same kind, in `a`. */
export function changesBetween(a: readonly ReportLine[], b: readonly ReportLine[]): Change[] {
  const before = new Map(a.map((line) => [nameOf(line), line]))
  return b.flatMap((line) => {
    const name = nameOf(line)
    const old = before.get(name)
    const [from, to] = [old && figureOf(old), figureOf(line)]
    return from === undefined || to === undefined || from.of !== to.of ? [] : [changeOf(name, from, to)]
  })
}

function changeOf(name: string, { of, values }: Figure, after: Figure): Change {
  const interval = ratioInterval(values, after.values)
  const verdict = interval.low > 1 ? 'faster' : interval.high < 1 ? 'slower' : 'unchanged'
  return { name, ...interval, of, verdict }
}

/** @throws Error if a line is no JSON */
export const readReport = (path: string): ReportLine[] => readLines<ReportLine>(path)

/** A table for people. */
export function changesTable(changes: readonly Change[]): string {
  const width = Math.max(...changes.map(({ name }) => name.length))
  return changes
    .map(({ name, estimate, low, high, level, of, verdict }) => {
      const interval = `[${low.toFixed(3)}, ${high.toFixed(3)}] at ${(level * 100).toFixed(0)} %`
      return `${name.padEnd(width)}  ${estimate.toFixed(3)}  ${interval}  ${of}  ${verdict}`
    })
    .join('\n')
}

/** @returns the exit code: 1 if anything became slower, 2 if the command line was wrong */
export function main(args: readonly string[]): number {
  const [a, b] = args
  if (a === undefined || b === undefined || args.length > 2) {
    console.error('npm run bench -- compare before.json after.json')
    return 2
  }
  const changes = changesBetween(readReport(a), readReport(b))
  if (changes.length === 0) {
    console.error(`${a} and ${b} have no line in common`)
    return 2
  }
  console.log(changesTable(changes))
  return changes.some(({ verdict }) => verdict === 'slower') ? 1 : 0
}
