/**
 * `npm run bench -- compare a.json b.json`: what changed from one report (`--json`) to another.
 *
 * Rates of two invocations say little, since the machine changes meanwhile. So where both have a yardstick, what is compared are
 * the ratios to it, run by run; `unchanged` means that the interval holds 1.
 */
import { ratioInterval } from './harness/confidence.ts'
import { readLines } from './harness/read-lines.ts'
import type { ThroughputLine } from './harness/report.ts'

export interface Change {
  readonly name: string
  /** b / a, as rates or as ratios to the yardstick. */
  readonly estimate: number
  readonly low: number
  readonly high: number
  readonly level: number
  readonly of: 'ratio' | 'rate'
  readonly verdict: 'faster' | 'slower' | 'unchanged'
}

type Line = Pick<ThroughputLine, 'suite' | 'case' | 'subject' | 'variant' | 'rates' | 'ratesAgainst' | 'against'>

/** Every line of `b` that has one of the same name in `a`. */
export function changesBetween(a: readonly Line[], b: readonly Line[]): Change[] {
  const before = new Map(a.map((line) => [nameOf(line), line]))
  return b.flatMap((line) => {
    const name = nameOf(line)
    const old = before.get(name)
    return old === undefined ? [] : [changeOf(name, old, line)]
  })
}

function changeOf(name: string, a: Line, b: Line): Change {
  const held = a.ratesAgainst !== undefined && b.ratesAgainst !== undefined
  const interval = held ? ratioInterval(ratiosOf(a), ratiosOf(b)) : ratioInterval(a.rates, b.rates)
  const verdict = interval.low > 1 ? 'faster' : interval.high < 1 ? 'slower' : 'unchanged'
  return { name, ...interval, of: held ? 'ratio' : 'rate', verdict }
}

/** Run by run: both ran one after the other. */
const ratiosOf = ({ rates, ratesAgainst = [] }: Line): number[] => rates.map((rate, i) => rate / ratesAgainst[i]!)

const nameOf = ({ suite, case: name, subject, variant, against }: Line): string =>
  [
    suite,
    name,
    subject,
    ...(variant === 'default' ? [] : [variant]),
    ...(against === undefined ? [] : [`/ ${against}`]),
  ].join(' ')

/** @throws Error if a line is no JSON */
export const readReport = (path: string): ThroughputLine[] => readLines<ThroughputLine>(path)

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
