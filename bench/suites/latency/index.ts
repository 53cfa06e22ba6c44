/**
 * `embedded`, `kafka`: how long a record takes until its row can be read, committed, at 10, 50 and 80 % of what goes through.
 *
 * `repartition`: how long a record takes through two repartitions: from the moment that it was parsed to its arrival in the last task
 * (`arrival`), and until its output can be read, committed (`committed`). The load is open: records are due at a fixed rate,
 * whatever becomes of those before them; `total` goes from when a record was due, so that what waits for a thread that
 * stands still counts as long as it waits (no coordinated omission). The parts of a record's way stand above these sums, and
 * below them `write` (an epoch, by the thread that owns the database) and `timer`: how late a bare timer is in the same run.
 *
 *     npm run bench -- latency [embedded] [kafka] [repartition] [--seconds 20] [--json]
 *     npm run bench -- latency repartition [--rate 100000] [--workers 2] [--interval 100]
 */
import { parseArgs } from 'node:util'
import { positiveOption, wholeOption } from '../../harness/options.ts'
import { columns } from '../../harness/report.ts'
import { type LoadLine, measureLoads } from './loads.ts'
import { linesOf, type Load, measureRepartition } from './repartition.ts'

export async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rate: { type: 'string', default: '100000' },
      seconds: { type: 'string', default: '20' },
      runs: { type: 'string', default: '1' },
      workers: { type: 'string', default: '2' },
      interval: { type: 'string', default: '100' },
      json: { type: 'boolean', default: false },
    },
  })
  const seconds = positiveOption('seconds', values.seconds)
  const runs = wholeOption('runs', values.runs)
  const load: Load = {
    rate: wholeOption('rate', values.rate),
    seconds,
    workers: wholeOption('workers', values.workers),
    interval: wholeOption('interval', values.interval),
  }
  const choices = ['embedded', 'kafka', 'repartition']
  const unknown = positionals.find((name) => !choices.includes(name))
  if (unknown !== undefined) throw new RangeError(`There is no case '${unknown}'; there are: ${choices.join(', ')}`)
  const named = positionals.length === 0 ? choices : positionals
  const loads: LoadLine[] = []
  for (const where of ['embedded', 'kafka'] as const) {
    if (!named.includes(where)) continue
    const found = await measureLoads(where, { seconds, runs }, (text) => console.error(text))
    if (values.json) for (const line of found) console.log(JSON.stringify(line))
    else console.log(tableOf(found))
    loads.push(...found)
  }
  const code = loads.every(({ correct }) => correct) ? 0 : 1
  if (!named.includes('repartition')) return code
  const line = await measureRepartition(load)
  if (values.json) for (const one of linesOf(line)) console.log(JSON.stringify(one))
  else {
    console.table(line.parts)
    console.log(`${line.samples} records, ${line.cores.toFixed(2)} processors busy`)
  }
  return code
}

const tableOf = (lines: readonly LoadLine[]): string =>
  columns(
    ['case', 'variant', 'offered/s', 'p50 ms', 'p99 ms', 'p99.9 ms', 'max ms', 'correct'],
    lines.map((line) => [
      line.case,
      line.variant,
      line.offeredPerSecond.toLocaleString('en-US'),
      ...[line.p50Ms, line.p99Ms, line.p999Ms, line.maxMs].map((ms) => ms.toFixed(1)),
      line.correct ? 'yes' : 'NO',
    ]),
    [2, 3, 4, 5, 6],
  )
