/**
 * `npm run bench -- <suite> [case] [--json] [--seconds n] [--runs n] [--subject name]`
 * `npm run bench -- compare before.json after.json`
 *
 * Standard output has the result and nothing else; progress goes to standard error. The exit code is 1 if a subject's
 * rows were wrong, 2 if the command line was.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { main as compare } from './compare.ts'
import { tableOf, type ThroughputLine } from './harness/report.ts'
import { runCase } from './harness/runner.ts'
import type { Suite, SuiteMain } from './harness/suite.ts'

const suitesDir = join(import.meta.dirname, 'suites')

async function main(args: readonly string[]): Promise<number> {
  const name = args[0]
  if (name === 'compare') return compare(args.slice(1))
  const file = join(suitesDir, name ?? '', 'index.ts')
  if (name === undefined || name.startsWith('-') || !existsSync(file)) {
    return usage(name === undefined ? 'Name a suite' : `There is no suite '${name}'`, readdirSync(suitesDir))
  }
  const module = (await import(pathToFileURL(file).href)) as { suite?: Suite; main?: SuiteMain }
  if (module.suite === undefined) return module.main!(args.slice(1))
  return runSuite(module.suite, args.slice(1))
}

async function runSuite(suite: Suite, args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      runs: { type: 'string', default: '5' },
      subject: { type: 'string', multiple: true },
    },
  })
  const runs = Number(values.runs)
  const seconds = values.seconds === undefined ? undefined : Number(values.seconds)
  if (!Number.isInteger(runs) || runs < 1) return usage(`--runs is '${values.runs}', not a whole number from 1 on`)
  if (seconds !== undefined && !(seconds > 0)) return usage(`--seconds is '${values.seconds}', not a number above 0`)
  const names = [...suite.cases, ...(suite.others ?? [])].map((bench) => bench.name)
  const unknown = positionals.find((name) => !names.includes(name))
  if (unknown !== undefined) return usage(`The suite ${suite.name} has no case '${unknown}'`, names)
  const isChosen = ({ name }: { name: string }): boolean => positionals.length === 0 || positionals.includes(name)
  const options = { runs, seconds, subjects: values.subject, log: (text: string) => console.error(text) }
  const lines: ThroughputLine[] = []
  const add = (found: readonly ThroughputLine[]): void => {
    if (values.json) for (const line of found) console.log(JSON.stringify(line))
    lines.push(...found)
  }
  const byName = (name: string) => suite.cases.find((other) => other.name === name)
  for (const bench of suite.cases.filter(isChosen)) add(await runCase(suite.name, bench, options, byName))
  for (const other of (suite.others ?? []).filter(isChosen)) add(await other.run(suite.name, options))
  if (!values.json) console.log(tableOf(lines))
  return lines.every((line) => line.correct) ? 0 : 1
}

function usage(problem: string, choices: readonly string[] = []): number {
  console.error(choices.length === 0 ? problem : `${problem}; there are: ${choices.join(', ')}`)
  console.error('npm run bench -- <suite> [case] [--json] [--seconds n] [--runs n] [--subject name]')
  return 2
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  return 2
})
