/** `docs/performance.md` and its plots, from a results file: `npm run docs:performance` writes them. */
import { kafka } from './kafka.ts'
import { limits, introduction, repeat } from './prose.ts'
import { held, heldCells, heldHead, named, percent, perCpuSecond, type Plot, ratio, right, table } from './parts.ts'
import type { Results } from './lines.ts'
import { scale } from './scale.ts'
import { barChart, lineChart, short } from './svg.ts'

/** Path from the docs folder -> content. */
export type Page = ReadonlyMap<string, string>

/** The page, and each plot that there are lines for. */
export function pageOf(results: Results): Page {
  const files = new Map<string, string>()
  const plot = (name: string, content: string, alt: string): string => {
    files.set(`performance/${name}.svg`, content)
    return `![${alt}](performance/${name}.svg)`
  }
  const sections = [
    introduction,
    machine(results),
    repeat,
    ...section('Against a loop written by hand', ceilings(results, plot)),
    ...section('Beside others', peers(results, plot)),
    ...section('Where others are faster', slower(results)),
    ...section('On a Kafka cluster', kafka(results, plot)),
    ...section('Nexmark', nexmark(results, plot)),
    ...section('Latency', latency(results, plot)),
    ...section('What asking costs', queries(results)),
    ...section('What a hot key costs', skew(results)),
    ...section('What grows, and how', scale(results, plot)),
    ...section('Small parts', micro(results)),
    ...section('What limits each case', profiles(results)),
    limits,
  ]
  files.set('performance.md', `${sections.join('\n\n')}\n`)
  return files
}

/** Nothing where nothing was measured: a page of empty tables says less than none. */
const section = (title: string, body: readonly string[]): string[] =>
  body.length === 0 ? [] : [`## ${title}`, ...body]

function machine({ throughput, kafka: onKafka, nexmark }: Results): string {
  const line = throughput[0] ?? onKafka[0] ?? nexmark[0]
  if (line === undefined) return 'Nothing was measured yet.'
  const { cores, cpu, memoryGb, node, versions, commit } = line
  return `Measured on: ${cpu}, ${cores} cores, ${memoryGb} GiB; Node ${node} (V8 ${versions['v8']}), RocksDB binding ${versions['rocksdb']}, commit ${commit}.`
}

function ceilings({ throughput }: Results, plot: Plot): string[] {
  const lines = throughput.filter((line) => line.suite !== 'peers' && line.ratio !== undefined)
  if (lines.length === 0) return []
  const bars = lines.map((line) => ({
    label: `${line.case}${line.variant === 'codegen' ? '' : ` ${line.variant}`}`,
    value: line.ratio!,
    text: ratio(line.ratio),
    group: line.ratio! >= 1 ? 2 : 0,
  }))
  return [
    plot(
      'ceilings',
      barChart('Engine / yardstick; the dashed line: as fast as it', bars, 1),
      'Ratios to the yardsticks',
    ),
    table(
      [...heldHead, 'records/s', 'per CPU s', 'MiB', 'spread', 'right'],
      lines.map((line) => [
        ...heldCells(line),
        short(line.recordsPerSecond),
        short(line.recordsPerCpuSecond),
        String(line.peakRssMb),
        percent(line.spread),
        right(line),
      ]),
      [3, 5, 6, 7, 8],
    ),
  ]
}

function peers({ throughput }: Results, plot: Plot): string[] {
  const own = throughput.filter((line) => line.suite === 'peers' && line.ratio === undefined)
  if (own.length === 0) return []
  const compared = throughput.filter((line) => line.suite === 'peers' && line.ratio !== undefined)
  const cases = [...new Set(own.map((line) => line.case))]
  return [
    'Above 1 the engine is the faster one. How each peer is set, and what it leaves out, stands in [bench/README.md](../bench/README.md).',
    ...cases.flatMap((name) => [
      plot(
        `peers-${name}`,
        perCpuSecond(
          `${name}: records a CPU second`,
          own.filter((line) => line.case === name),
        ),
        `Records a CPU second of ${name}`,
      ),
    ]),
    held(compared),
  ]
}

function slower({ throughput, kafka: onKafka, nexmark }: Results): string[] {
  const all = [...throughput, ...onKafka]
  // against another case or variant of its own is against nobody else
  const own = new Set(all.flatMap((line) => (line.subject === 'dhaara' ? [line.case, line.variant] : [line.case])))
  const lines = all.filter(
    ({ subject, ratio = 1, against = '' }) =>
      subject === 'dhaara' && ratio < 1 && !own.has(against) && !against.startsWith('dhaara'),
  )
  const queries = nexmark.filter(({ perCore, publishedFlinkPerCore = 0 }) => perCore < publishedFlinkPerCore)
  if (throughput.length + onKafka.length === 0) return []
  return [
    'Every line of the engine on this page with a ratio below 1 to somebody else, so that nobody has to look for them:',
    [
      ...lines.map((line) => `- ${line.case}, ${named(line)}: ${ratio(line.ratio)} of ${line.against!}`),
      ...queries.map(
        (line) => `- Nexmark ${line.case}: ${line.perCore} of ${line.publishedFlinkPerCore!} K events/s per core`,
      ),
      ...(lines.length + queries.length === 0 ? ['- none'] : []),
    ].join('\n'),
  ]
}

function nexmark({ nexmark: lines }: Results, plot: Plot): string[] {
  if (lines.length === 0) return []
  const bars = lines.flatMap((line) => [
    { label: line.case, value: line.perCore, text: String(line.perCore), group: 0 },
    ...(line.publishedFlinkPerCore === undefined
      ? []
      : [{ label: '', value: line.publishedFlinkPerCore, text: `${line.publishedFlinkPerCore} Flink`, group: 4 }]),
  ])
  return [
    'K events a second and core, durable state, exactly once, a checkpoint each second. Flink: the published figures, from another machine: indicative.',
    plot('nexmark', barChart('Nexmark: K events/s per core', bars), 'K events a second and core of each query'),
    table(
      [
        'query',
        'K events/s per core',
        'published Flink',
        'times',
        'p50 ms at 50 %',
        'p99 ms',
        'MiB',
        'spread',
        'right',
      ],
      lines.map((line) => [
        line.case,
        line.perCore.toFixed(1),
        line.publishedFlinkPerCore?.toString() ?? '',
        line.publishedFlinkPerCore === undefined ? '' : (line.perCore / line.publishedFlinkPerCore).toFixed(1),
        line.p50Ms?.toFixed(0) ?? '',
        line.p99Ms?.toFixed(0) ?? '',
        String(line.peakRssMb),
        percent(line.spread),
        right(line),
      ]),
      [1, 2, 3, 4, 5, 6, 7],
    ),
  ]
}

function latency({ latency: lines }: Results, plot: Plot): string[] {
  if (lines.length === 0) return []
  const names = [...new Set(lines.map((line) => `${line.case} ${line.variant}`))]
  const series = names.map((name) => ({
    name,
    points: lines
      .filter((line) => `${line.case} ${line.variant}` === name)
      .map((line): readonly [number, number] => [line.offeredPerSecond, Math.max(0.1, line.p99Ms)]),
  }))
  return [
    'From the moment at which a record was due to be sent, whether or not the sender was late, until its row can be read, committed.',
    plot('latency', lineChart('99th percentile by load', series, { x: 'records/s offered', y: 'ms' }), 'p99 by load'),
    table(
      ['case', 'variant', 'offered/s', 'p50 ms', 'p99 ms', 'p99.9 ms', 'max ms'],
      lines.map((line) => [
        line.case,
        line.variant,
        short(line.offeredPerSecond),
        ...[line.p50Ms, line.p99Ms, line.p999Ms, line.maxMs].map((ms) => ms.toFixed(1)),
      ]),
      [2, 3, 4, 5, 6],
    ),
  ]
}

function queries({ queries: lines }: Results): string[] {
  if (lines.length === 0) return []
  const ms = (value: number | undefined): string => value?.toFixed(2) ?? ''
  return [
    'Rows that are asked for while a job runs at half of what it can; `job` is its throughput beside the questions against without. `metering`: a job with the counting and timing of its steps against one without.',
    table(
      ['case', 'variant', 'rows/s', 'per CPU s', 'p50 ms', 'p99 ms', 'job', 'ratio', 'right'],
      lines.map((line) => [
        line.case,
        line.variant,
        short(line.recordsPerSecond),
        short(line.recordsPerCpuSecond),
        ms(line.p50Ms),
        ms(line.p99Ms),
        ratio(line.jobRatio),
        ratio(line.ratio),
        right(line),
      ]),
      [2, 3, 4, 5, 6, 7],
    ),
  ]
}

function skew({ skew: lines }: Results): string[] {
  if (lines.length === 0) return []
  return [
    'Sums by key behind a repartition, on two workers: half of all records have one key, against keys that are all as frequent. `ratio`: records a second with the hot key, as a share of those without.',
    table(
      ['case', 'workers', 'uniform/s', 'hot/s', 'ratio'],
      lines.map((line) => [
        line.case,
        String(line.workers),
        short(line.uniformPerSecond),
        short(line.hotPerSecond),
        ratio(line.ratio),
      ]),
      [1, 2, 3, 4],
    ),
  ]
}

function micro({ micro: lines }: Results): string[] {
  if (lines.length === 0) return []
  return [
    table(
      ['group', 'part', 'M/s', 'margin', 'ratio', 'of'],
      lines.map((line) => [
        line.case,
        line.subject,
        (line.recordsPerSecond / 1e6).toFixed(2),
        percent(line.spread),
        ratio(line.ratio),
        line.against ?? '',
      ]),
      [2, 3, 4],
    ),
  ]
}

function profiles({ profiles: lines }: Results): string[] {
  if (lines.length === 0) return []
  return [
    'The functions in which the thread was most, by V8’s profile of a whole run; start-up included. Native work shows under its caller.',
    ...lines.flatMap(({ case: name, top }) => [
      `### ${name}`,
      table(
        ['share', 'function'],
        top.map(({ at, share }) => [`${(share * 100).toFixed(1)} %`, `\`${at}\``]),
        [0],
      ),
    ]),
  ]
}
