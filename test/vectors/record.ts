/**
 * `npm run vectors:record`: makes the cases anew, lets Kafka Streams run them in its test driver (Record.java), and writes
 * kafka-streams-recorded.json. Needs Java 17 and Maven. What is argued of a case stays with it.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { kafkaHome } from '../../scripts/kafka/jars.ts'
import { type Case, casesOf } from './record-cases.ts'

const here = import.meta.dirname
const file = join(here, 'kafka-streams-recorded.json')
const home = join(kafkaHome, 'record')
const lib = join(home, 'lib')
const classPath = `${join(lib, '*')}:${join(home, 'classes')}`

const cases: Case[] = [
  ...casesOf(4711, [
    ['stream-stream', 14],
    ['stream-table', 8],
    ['table-table', 14],
    ['foreign', 8],
    ['filter-group', 6],
    ['aggregate', 4],
    ['reduce', 4],
    ['window', 20],
    ['cogroup', 6],
    ['global', 6],
    ['totable', 4],
  ]),
  ...casesOf(1729, [
    ['stream-stream', 8],
    ['table-table', 10],
    ['foreign', 10],
    ['filter-group', 6],
    ['window', 16],
    ['cogroup', 4],
    ['totable', 6],
  ]),
]

function run(command: string, args: readonly string[], input?: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...(input === undefined ? {} : { input }),
  })
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr + stdout}`)
  return stdout
}

mkdirSync(join(home, 'classes'), { recursive: true })
if (!existsSync(lib))
  run('mvn', ['-q', '-B', '-f', join(here, 'pom.xml'), 'dependency:copy-dependencies', `-DoutputDirectory=${lib}`])
run('javac', ['-nowarn', '-cp', classPath, '-d', join(home, 'classes'), join(here, 'Record.java')])
const lines = run('java', ['-cp', classPath, 'Record'], `${cases.map((one) => JSON.stringify(one)).join('\n')}\n`)
const outs = lines
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as unknown)

const known = JSON.parse(readFileSync(file, 'utf8')) as (Case & { readonly argued?: string })[]
const argued = new Map(known.map((one) => [JSON.stringify(one.in), one.argued]))
const rows = cases.flatMap((one, i) => {
  const out = outs[i]
  if (!Array.isArray(out)) {
    // Kafka Streams itself fails, with windows of no length in memory for instance
    console.log(`case ${i + 1} is left out: ${JSON.stringify(out)}`)
    return []
  }
  const why = argued.get(JSON.stringify(one.in))
  return JSON.stringify({ ...one, ...(why === undefined ? {} : { argued: why }), out })
})
writeFileSync(file, `[\n${rows.join(',\n')}\n]\n`)
console.log(`${rows.length} cases`)
