/** What grows with workers, processes, keys, steps and partitions. */
import type { ScaleLine } from '../suites/scale/line.ts'
import type { Results } from './lines.ts'
import { type Plot, right, table } from './parts.ts'
import { lineChart, short } from './svg.ts'

/** What a reader must know of a case. */
const notes: Readonly<Record<string, string>> = {
  workers:
    'No workers: the tasks run on the main thread. The clock starts when the app runs; `start ms` is what came before: each worker loads and compiles the engine for itself, here from its sources and without a compile cache. One worker frees the main thread and brings no throughput. More bring what processors are left: threads that write epochs, collect garbage, compile and compact work beside them, and on two processors two workers have all of them busy. The rates of these runs lie up to half of themselves apart (`spread`), so that the ratios are rough: docs/decisions.md, D-411.',
  cores:
    'The same job, a million keys, in as many processes at once, each with a log and a state of its own: what a core brings beside others that are busy.',
  processes:
    'Instances of one app on one broker of this machine, exactly once, 8 partitions, all records there before the clock starts. `busy`: processors of this machine that worked meanwhile; `own`: those that the instances had of them, the broker having had most of the rest. More processes bring more records a second only where processors are left.',
}

export function scale({ scale: lines }: Results, plot: Plot): string[] {
  const cases = [...new Set(lines.map((line) => line.case))]
  return cases.flatMap((name) => {
    const mine = lines.filter((line) => line.case === name)
    const points = (value: (line: ScaleLine) => number) =>
      mine.map((line): readonly [number, number] => [line.x, value(line)])
    const chart = lineChart(
      name,
      [
        { name: 'records/s', points: points((line) => line.recordsPerSecond) },
        { name: 'records/CPU s', points: points((line) => line.recordsPerCpuSecond) },
      ],
      // none is a number of workers too
      { x: name, y: 'a second', ...(mine.some(({ x }) => x === 0) && { linear: 'x' }) },
    )
    const note = notes[name]
    return [
      ...(note === undefined ? [] : [note]),
      plot(`scale-${name}`, chart, `What ${name} cost`),
      tableOf(name, mine),
    ]
  })
}

/** `times` and `share` are against the first line. */
function tableOf(name: string, lines: readonly ScaleLine[]): string {
  const first = lines[0] as ScaleLine
  const busy = lines.some(({ busyCores }) => busyCores !== undefined)
  const start = lines.some(({ startMs }) => startMs !== undefined)
  const more = [...(busy ? ['busy', 'own'] : []), ...(start ? ['start ms'] : [])]
  const head = [name, 'records/s', 'times', 'records/CPU s', 'share', ...more, 'MiB']
  return table(
    [...head, 'right'],
    lines.map((line) => [
      line.x.toLocaleString('en-US'),
      short(line.recordsPerSecond),
      (line.recordsPerSecond / first.recordsPerSecond).toFixed(2),
      short(line.recordsPerCpuSecond),
      (line.recordsPerCpuSecond / first.recordsPerCpuSecond).toFixed(2),
      ...(busy
        ? [line.busyCores?.toFixed(2) ?? '', (line.recordsPerSecond / line.recordsPerCpuSecond).toFixed(2)]
        : []),
      ...(start ? [String(line.startMs ?? '')] : []),
      String(line.peakRssMb),
      right(line),
    ]),
    head.map((_, i) => i),
  )
}
