/**
 * `npm run bench -- record [suite[/case] …]`: measures with the runs that published figures have, each suite in a process of its own,
 * and puts its lines into `bench/results/performance.jsonl` in the place of those that its cases had; those of cases that were not
 * measured, since nobody has asked for them or this machine lacks something, stay. `npm run docs:performance` then makes the page;
 * `--baseline` puts the ceilings' lines into the file that `bench:gate` reads. `--runs n`: fewer, or more.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { committed as baseline } from './gate.ts'
import { outputOf } from './harness/spawn-suite.ts'
import { readLines } from './harness/read-lines.ts'

export const resultsFile = resolve(import.meta.dirname, 'results/performance.jsonl')

const commands: Readonly<Record<string, readonly string[]>> = {
  ceilings: ['--runs', '7'],
  peers: ['--runs', '5'],
  cep: ['--runs', '3'],
  nexmark: ['--events', '2000000', '--runs', '3', '--latency', '10'],
  latency: ['--seconds', '60'],
  kafka: ['--runs', '5'],
  queries: ['--seconds', '20', '--runs', '5'],
  skew: ['--runs', '7'],
  scale: [],
  micro: ['--seconds', '2'],
  profile: ['--records', '2000000'],
}

interface CaseLine {
  readonly suite: string
  readonly case: string
}

/** @returns the exit code: the worst of the suites' */
export async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { baseline: { type: 'boolean', default: false }, runs: { type: 'string' } },
  })
  const wanted = positionals.length === 0 ? Object.keys(commands) : positionals
  const asked = wanted.map((name) => name.split('/') as [string, ...string[]])
  const unknown = asked.map(([suite]) => suite).find((suite) => commands[suite] === undefined)
  if (unknown !== undefined)
    throw new RangeError(`Nothing is recorded of '${unknown}'; there are: ${Object.keys(commands).join(', ')}`)
  let worst = 0
  for (const [suite, ...cases] of asked) {
    console.error(`--- ${[suite, ...cases].join('/')}`)
    const runs = values.runs === undefined ? [] : ['--runs', values.runs]
    const { code, text } = await outputOf([suite, ...cases, ...commands[suite]!, ...runs, '--json'])
    worst = Math.max(worst, code)
    // What went wrong replaces nothing.
    if (code !== 0) continue
    if (text.trim() === '') {
      console.error(`--- ${suite}: nothing was measured (the reason stands above); what was recorded before stays`)
      continue
    }
    replace(resultsFile, text)
    if (values.baseline && suite === 'ceilings') replace(baseline, text)
  }
  return worst
}

/** The lines of the file without those of the suites and cases that `measured` has, and these behind them. */
export function replaced(old: readonly CaseLine[], measured: readonly CaseLine[]): CaseLine[] {
  const anew = new Set(measured.map(({ suite, case: name }) => `${suite}/${name}`))
  return [...old.filter(({ suite, case: name }) => !anew.has(`${suite}/${name}`)), ...measured]
}

function replace(path: string, text: string): void {
  const measured = text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as CaseLine]))
  const lines = replaced(existsSync(path) ? readLines<CaseLine>(path) : [], measured)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
}
