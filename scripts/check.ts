/**
 * `npm run check`: every step that a change must pass, cheapest first; stops at the first that fails.
 *
 *     npm run check                     all steps
 *     npm run check -- --first test     all steps, the tests before the others (what .ci/run does)
 *     npm run check -- lint types       only these
 *
 * The last line of the output is `N passed, N failed, N skipped`: the sum over mocha's results. A step that fails
 * without a failing test of its own counts as one failure.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { parseArgs, stripVTControlCharacters } from 'node:util'

interface Step {
  /** Name of the npm script. */
  readonly name: string
  /** The script is one run of mocha: its tests are counted. */
  readonly mocha?: true
}

/** To add a ring (crash tests, steady-state tests): write its npm script, then a line here, slowest last. */
const steps: readonly Step[] = [
  { name: 'lint' },
  { name: 'types' },
  { name: 'build' },
  { name: 'test', mocha: true },
  { name: 'test:programs', mocha: true },
  { name: 'test:workers', mocha: true },
  { name: 'test:searches', mocha: true },
  { name: 'test:bench', mocha: true },
  { name: 'test:console', mocha: true },
  { name: 'test:kafka', mocha: true },
  { name: 'test:chaos', mocha: true },
  { name: 'test:large', mocha: true },
  { name: 'test:steady', mocha: true },
  { name: 'test:crash', mocha: true },
]

/** The part of mocha's JSON report that is read here. */
interface MochaReport {
  readonly stats: { readonly passes: number; readonly failures: number; readonly pending: number }
  readonly failures: readonly {
    readonly fullTitle: string
    readonly err: { readonly stack?: string; readonly message?: string }
  }[]
}

const reportsDir = '.cache/check'
const shownFailures = 20
const shownLines = 60
const counts = { passed: 0, failed: 0, skipped: 0 }

/** Runs one step, prints one line for it (and what went wrong), and adds its tests to the counts. */
function run(step: Step): boolean {
  const started = performance.now()
  const report = `${reportsDir}/${step.name.replaceAll(':', '-')}.json`
  // `--exit`: a failed test may leave something open, and must not hang the check for ever.
  const reporter = step.mocha ? ['--', '--exit', '--reporter', 'json', '--reporter-option', `output=${report}`] : []
  const child = spawnSync('npm', ['run', '--silent', step.name, ...reporter], { encoding: 'utf8', maxBuffer: 2 ** 28 })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const tests = step.mocha ? readReport(report) : undefined
  const ok = child.status === 0 && (!step.mocha || (tests !== undefined && tests.stats.failures === 0))
  if (tests !== undefined) {
    counts.passed += tests.stats.passes
    counts.failed += tests.stats.failures
    counts.skipped += tests.stats.pending
  }
  const number = tests === undefined ? '' : `, ${tests.stats.passes} tests`
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${step.name} (${seconds} s${number})`)
  if (ok) return true
  if (tests === undefined || tests.stats.failures === 0) {
    counts.failed++
    const why = child.error?.message ?? (child.signal ? `killed by ${child.signal}` : `exit code ${child.status}`)
    console.log([...lastLines(child.stdout + child.stderr), why].join('\n'))
  } else {
    printFailures(tests)
  }
  return false
}

function readReport(path: string): MochaReport | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as MochaReport
  } catch {
    return undefined
  }
}

function printFailures({ failures }: MochaReport): void {
  for (const { fullTitle, err } of failures.slice(0, shownFailures)) {
    const text = err.stack ?? err.message ?? 'no message'
    console.log(`\n  ${fullTitle}\n${text.split('\n').slice(0, 15).join('\n').replace(/^/gm, '    ')}`)
  }
  if (failures.length > shownFailures) console.log(`\n  and ${failures.length - shownFailures} more`)
}

function lastLines(text: string): string[] {
  const lines = stripVTControlCharacters(text).trimEnd().split('\n')
  return lines.length <= shownLines
    ? lines
    : [`(${lines.length - shownLines} lines left out)`, ...lines.slice(-shownLines)]
}

const { values, positionals } = parseArgs({ options: { first: { type: 'string' } }, allowPositionals: true })
const names = steps.map((step) => step.name)
const unknown = [...positionals, values.first ?? names[0]!].find((name) => !names.includes(name))
if (unknown !== undefined) {
  console.error(`There is no step '${unknown}'; the steps are ${names.join(', ')}`)
  process.exit(2)
}
const chosen = steps.filter((step) => positionals.length === 0 || positionals.includes(step.name))
const ordered = chosen.toSorted((a, b) => Number(b.name === values.first) - Number(a.name === values.first))
rmSync(reportsDir, { recursive: true, force: true })
mkdirSync(reportsDir, { recursive: true })
const ok = ordered.every(run)
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
process.exitCode = ok ? 0 : 1
