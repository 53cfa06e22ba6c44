/**
 * `npm run bench`: every suite, short, each in a process of its own; one table at the end. The figures are rough: they say that
 * everything runs, gives the right rows, and about how fast. For more, name a suite.
 */
import { parseArgs } from 'node:util'
import { positiveOption, wholeOption } from './harness/options.ts'
import { columns } from './harness/report.ts'
import { outputOf } from './harness/spawn-suite.ts'

/** What lines of all suites have in common. */
interface AnyLine {
  readonly suite: string
  readonly case: string
  readonly subject?: string
  readonly variant?: string
  readonly recordsPerSecond?: number
  readonly recordsPerCpuSecond?: number
  readonly peakRssMb?: number
  readonly spread?: number
  readonly against?: string
  readonly ratio?: number
  readonly p50Ms?: number
  readonly p99Ms?: number
  readonly correct?: boolean
}

/** @param seconds a timed run. Suites without a clock of their own take records or events for about as long. */
const suites = (seconds: number, runs: number): readonly (readonly [string, ...string[]])[] => {
  const records = String(Math.ceil(seconds * 3) * 100_000)
  return [
    ['ceilings', '--records', records, '--warm-up', '200000', '--runs', String(runs)],
    ['cep', 'growth', 'empty', '--records', records, '--warm-up', '200000', '--runs', '1'],
    ['nexmark', '--events', String(Math.round(seconds * 100_000)), '--runs', '1'],
    ['latency', 'embedded', 'repartition', '--seconds', String(seconds * 2)],
    ['micro', '--seconds', String(seconds / 10)],
  ]
}

/** @returns the exit code: 1 if a subject's rows were wrong or a suite failed */
export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      seconds: { type: 'string', default: '1' },
      runs: { type: 'string', default: '2' },
    },
  })
  const lines: AnyLine[] = []
  let worst = 0
  for (const [suite, ...more] of suites(positiveOption('seconds', values.seconds), wholeOption('runs', values.runs))) {
    console.error(`--- ${suite}`)
    const { code, text } = await outputOf([suite, ...more, '--json'])
    worst = Math.max(worst, code)
    if (values.json) process.stdout.write(text)
    lines.push(...text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as AnyLine])))
  }
  if (!values.json) console.log(tableOf(lines))
  return worst
}

function tableOf(lines: readonly AnyLine[]): string {
  const number = (value: number | undefined): string =>
    value === undefined ? '' : Math.round(value).toLocaleString('en-US')
  return columns(
    [
      'suite',
      'case',
      'subject',
      'per s',
      'per CPU s',
      'p50 ms',
      'p99 ms',
      'RSS MB',
      'spread',
      'ratio',
      'of',
      'correct',
    ],
    lines.map((line) => [
      line.suite,
      line.case,
      [line.subject, ...(line.variant === undefined || line.variant === 'default' ? [] : [`(${line.variant})`])].join(
        ' ',
      ),
      number(line.recordsPerSecond),
      number(line.recordsPerCpuSecond),
      line.p50Ms?.toFixed(1) ?? '',
      line.p99Ms?.toFixed(1) ?? '',
      number(line.peakRssMb),
      line.spread === undefined ? '' : `${(line.spread * 100).toFixed(0)} %`,
      line.ratio?.toFixed(2) ?? '',
      line.against ?? '',
      line.correct === undefined ? '' : line.correct ? 'yes' : 'NO',
    ]),
    [3, 4, 5, 6, 7, 8, 9],
  )
}
