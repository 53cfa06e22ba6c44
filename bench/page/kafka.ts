/** The engine from topic to topic of a real broker, beside Kafka Streams and a plain loop. */
import type { ThroughputLine } from '../harness/report.ts'
import type { Results } from './lines.ts'
import { held, named, percent, perCpuSecond, type Plot, right, table } from './parts.ts'
import { short } from './svg.ts'

export function kafka({ kafka: lines }: Results, plot: Plot): string[] {
  if (lines.length === 0) return []
  const restarts = lines.filter((line) => line.case === 'restart')
  const clients = lines.filter((line) => line.case.startsWith('client-'))
  const others = lines.filter((line) => line.case !== 'restart' && !clients.includes(line))
  const own = others.filter((line) => line.ratio === undefined)
  const compared = others.filter((line) => line.ratio !== undefined)
  const cases = [...new Set(own.map((line) => line.case))]
  return [
    'All on one broker of this machine, which takes processors from those that are measured: look at what a CPU second brings. Settings stand in [bench/README.md](../bench/README.md).',
    ...cases.map((name) =>
      plot(
        `kafka-${name}`,
        perCpuSecond(
          `${name}: records a CPU second`,
          own.filter((line) => line.case === name),
        ),
        `Records a CPU second of ${name} on Kafka`,
      ),
    ),
    ...(own.length === 0 ? [] : [figures(own)]),
    ...(compared.length === 0 ? [] : [held(compared)]),
    ...(clients.length === 0 ? [] : client(clients)),
    ...(restarts.length === 0 ? [] : restart(restarts)),
  ]
}

const figures = (lines: readonly ThroughputLine[]): string =>
  table(
    ['case', 'subject', 'records/s', 'per CPU s', 'MiB', 'spread', 'right'],
    lines.map((line) => [
      line.case,
      named(line),
      short(line.recordsPerSecond),
      short(line.recordsPerCpuSecond),
      String(line.peakRssMb),
      percent(line.spread),
      right(line),
    ]),
    [2, 3, 4, 5],
  )

/** A job on Kafka and the same one without, run in turn: the difference is what fetching, producing and transactions take. */
function client(lines: readonly ThroughputLine[]): string[] {
  const micros = (line: ThroughputLine): number => 1e6 / line.recordsPerCpuSecond
  return [
    'What the client takes: a job from topic to topic, exactly once, and the same steps on the same records from memory to memory, in turn.',
    table(
      ['job', 'µs of CPU a record', 'without a broker', 'the client’s', 'right'],
      lines
        .filter(({ against }) => against !== undefined)
        .flatMap((line) => {
          const bare = lines.find((one) => one.case === line.case && one.variant === 'no broker')
          if (bare === undefined) return []
          const [all, rest] = [micros(line), micros(bare)]
          const correct = right({ correct: line.correct && bare.correct })
          return [
            [line.case.slice('client-'.length), all.toFixed(2), rest.toFixed(2), (all - rest).toFixed(2), correct],
          ]
        }),
      [1, 2, 3],
    ),
  ]
}

/** A record of `local` is a restart; one of `changelog` a row that was read. */
const restart = (lines: readonly ThroughputLine[]): string[] => [
  'Killed with `kill -9` with a million keys in its state, and started again: `local` where its directory is, `changelog` where nothing is left of it.',
  table(
    ['subject', 'seconds', 'CPU s', 'rows/CPU s', 'MiB', 'right'],
    lines.map((line) => [
      named(line),
      line.seconds.toFixed(2),
      line.cpuSeconds.toFixed(2),
      line.variant === 'changelog' ? short(line.recordsPerCpuSecond) : '',
      String(line.peakRssMb),
      right(line),
    ]),
    [1, 2, 3, 4],
  ),
]
