/**
 * Patterns with much state. `partials`: 10,000 keys with 100 live partial matches each; 5 % of the events begin one, as many
 * end one; against the same events with nothing that stays alive (`empty`). `partials-large` (only if it is named): 1,000
 * keys with 1,000 each. `growth`: what an event costs with more partial matches, and with longer loops.
 */
import { join } from 'node:path'
import { suiteOptions } from '../../harness/options.ts'
import { environment, tableOf, type ThroughputLine } from '../../harness/report.ts'
import { runCase } from '../../harness/runner.ts'
import type { BenchCase } from '../../harness/subject.ts'
import { growth, type GrowthLine } from './growth.ts'
import { liveGenerator } from './workload.ts'

const seed = 20_240_604

function partials(name: string, folder: string, keys: number, live: number): BenchCase {
  return {
    name,
    summary: `${keys} keys with ${live} live partial matches each`,
    folder: join(import.meta.dirname, folder),
    workload: `live-${keys}-${live}-${seed}`,
    generator: () => liveGenerator(keys, live, seed),
    input: 'parsed',
    // all partial matches are there before the clock starts
    warmUp: keys * live + 500_000,
    records: 2_000_000,
    // the end of the input ends as many partial matches as were begun before the clock started
    endTimed: false,
    ratioOf: 'cpu',
    yardstick: 'hand-written',
    subjects: [{ name: 'dhaara', variants: ['memory', 'rocksdb'] }],
    ...(folder === 'empty' ? {} : { alsoAgainst: 'empty' }),
  }
}

const cases = [
  partials('partials', 'partials', 10_000, 100),
  partials('partials-large', 'partials', 1_000, 1_000),
  partials('empty', 'empty', 10_000, 100),
]

export async function main(args: readonly string[]): Promise<number> {
  const choices = ['growth', ...cases.map(({ name }) => name)]
  const { named: given, json, ...settings } = suiteOptions('cep', ['--runs', '3', ...args], choices)
  const named = given.length === 0 ? ['growth', 'partials'] : given
  if (named.includes('growth'))
    for (const line of growth())
      console.log(
        json
          ? JSON.stringify({ suite: 'cep', subject: 'dhaara', variant: String(line.size), ...line, ...environment() })
          : textOf(line),
      )
  const lines: ThroughputLine[] = []
  for (const bench of cases.filter(({ name }) => named.includes(name))) {
    const options = { ...settings, log: (text: string) => console.error(text) }
    const found = await runCase('cep', bench, options, (name) => cases.find((other) => other.name === name))
    if (json) for (const line of found) console.log(JSON.stringify(line))
    lines.push(...found)
  }
  if (!json && lines.length > 0) console.log(tableOf(lines))
  return lines.every((line) => line.correct) ? 0 : 1
}

function textOf(line: GrowthLine): string {
  const { size, nsPerEvent, against, ratio } = line
  return `${line.case.padEnd(16)} ${String(size).padStart(6)} ${String(nsPerEvent).padStart(6)} ns an event, ${ratio} of ${against}`
}
