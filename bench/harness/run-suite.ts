import { suiteOptions } from './options.ts'
import { tableOf, type ThroughputLine } from './report.ts'
import { runCase } from './runner.ts'
import type { Suite } from './suite.ts'

/** Measures the cases of a suite that were named, or all that run unasked. @returns the exit code */
export async function runSuite(suite: Suite, args: readonly string[]): Promise<number> {
  const all = [...suite.cases, ...(suite.others ?? [])]
  const names = all.map(({ name }) => name)
  const { named, json, ...options } = suiteOptions(suite.name, args, names)
  const isChosen = ({ name, onlyNamed }: { name: string; onlyNamed?: boolean }): boolean =>
    named.length === 0 ? onlyNamed !== true : named.includes(name)
  const settings = { ...options, log: (text: string) => console.error(text) }
  const lines: ThroughputLine[] = []
  const add = (found: readonly ThroughputLine[]): void => {
    if (json) for (const line of found) console.log(JSON.stringify(line))
    lines.push(...found)
  }
  const byName = (name: string) => suite.cases.find((other) => other.name === name)
  for (const bench of suite.cases.filter(isChosen)) add(await runCase(suite.name, bench, settings, byName))
  for (const other of (suite.others ?? []).filter(isChosen)) add(await other.run(suite.name, settings))
  if (!json) console.log(tableOf(lines))
  return lines.every((line) => line.correct) ? 0 : 1
}
