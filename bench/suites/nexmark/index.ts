/**
 * Nexmark: 24 queries over the events of an auction site, in the public DSL.
 *
 *     npm run bench -- nexmark [q0 …] [--events n | --seconds n] [--runs n] [--latency seconds] [--json]     measure
 *     npm run bench -- nexmark q5 --input events.jsonl --output -          run one over given events
 *     npm run bench -- nexmark --generate 1000                             print events
 */
import { parseArgs } from 'node:util'
import { positiveOption, wholeOption } from '../../harness/options.ts'
import { columns } from '../../harness/report.ts'
import { nexmarkGenerator } from './generator.ts'
import { measureQueries, type NexmarkLine } from './measure.ts'
import { queries } from './queries/index.ts'
import { runFile } from './run-file.ts'

/** Of each second that a run is to take, about. */
const eventsPerSecond = 100_000

/** @returns the exit code: 1 if a query's rows were wrong, 2 if the command line was */
export async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      runs: { type: 'string', default: '3' },
      events: { type: 'string' },
      seconds: { type: 'string', default: '5' },
      latency: { type: 'string', default: '0' },
      input: { type: 'string' },
      output: { type: 'string', default: '-' },
      files: { type: 'string', default: '.cache/bench/nexmark-files' },
      generate: { type: 'string' },
    },
  })
  const unknown = positionals.find((name) => queries[name] === undefined)
  if (unknown !== undefined)
    return usage(`There is no query '${unknown}'; there are: ${Object.keys(queries).join(', ')}`)
  if (values.generate !== undefined) return generate(wholeOption('generate', values.generate))
  if (values.input !== undefined) {
    const [name] = positionals
    if (name === undefined || positionals.length > 1) return usage('Name one query to run over --input')
    const { input, output, files } = values
    const rows = await runFile(queries[name]!, { input, output, files })
    console.error(`${name}: ${rows} rows`)
    return 0
  }
  const names = positionals.length === 0 ? Object.keys(queries) : positionals
  const lines = await measureQueries(names, {
    runs: wholeOption('runs', values.runs),
    events:
      values.events === undefined
        ? Math.ceil(positiveOption('seconds', values.seconds) * eventsPerSecond)
        : wholeOption('events', values.events),
    latencySeconds: values.latency === '0' ? 0 : positiveOption('latency', values.latency),
    cache: '.cache/bench',
    log: (text) => console.error(text),
  })
  console.log(values.json ? lines.map((line) => JSON.stringify(line)).join('\n') : tableOf(lines))
  return lines.every(({ correct }) => correct) ? 0 : 1
}

function generate(count: number): number {
  const next = nexmarkGenerator()
  for (let i = 0; i < count; i++) process.stdout.write(`${JSON.stringify(next())}\n`)
  return 0
}

function tableOf(lines: readonly NexmarkLine[]): string {
  const head = ['query', 'K events/s per core', 'published Flink', 'p50 ms', 'p99 ms', 'RSS MB', 'correct', '']
  const rows = lines.map((line) => [
    line.case,
    line.perCore.toFixed(1),
    line.publishedFlinkPerCore?.toString() ?? '',
    line.p50Ms?.toFixed(0) ?? '',
    line.p99Ms?.toFixed(0) ?? '',
    String(line.peakRssMb),
    line.correct ? 'yes' : 'NO',
    queries[line.case]!.summary,
  ])
  return columns(head, rows, [1, 2, 3, 4, 5])
}

function usage(problem: string): number {
  console.error(problem)
  console.error(
    'npm run bench -- nexmark [query …] [--events n | --seconds n] [--runs n] [--latency seconds] [--json] [--input file] [--output file] [--files folder]',
  )
  return 2
}
