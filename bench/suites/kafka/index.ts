/**
 * The engine on a real Kafka, beside a plain loop with kafkajs and Kafka Streams: the same broker, the same topic, each run in a
 * process of its own, in turn. What lies in the output topic is read back, read committed, and held to the reference.
 *
 *     npm run bench -- kafka [source] [sink] [json-in-out] [keyed-aggregate] [restart] [--records n] [--runs n] [--json]
 *     npm run bench -- kafka client-json-in-out client-keyed-aggregate     beside the same job without a broker
 *
 * Latency is measured by the suite `latency`.
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { missingTools } from '../../../scripts/kafka/jars.ts'
import { type RemoteLog, remote } from '../../../src/connectors/broker/remote.ts'
import { kafkaBroker } from '../../../src/index.ts'
import { expected } from '../../harness/measure.ts'
import type { Measured } from '../../harness/run.ts'
import { withKafka } from '../../harness/kafka.ts'
import { lastingTopic, loadOrders, outcomeOf, removeTopics } from '../../harness/kafka-orders.ts'
import { type SuiteOptions, suiteOptions } from '../../harness/options.ts'
import { lineOf, tableOf, type ThroughputLine } from '../../harness/report.ts'
import { planRun, type RunOptions, runSubject } from '../../harness/runner.ts'
import { summarise } from '../../harness/statistics.ts'
import type { Outcome } from '../../harness/run.ts'
import { missingJava } from '../peers/java.ts'
import { suite as ceilings } from '../ceilings/index.ts'
import type { Figures } from './job.ts'
import { restart } from './restart.ts'
import { type Entrant, runOnce } from './runs.ts'

const partitions = 4

interface Case {
  readonly name: string
  readonly entrants: readonly Entrant[]
  /** Lines of one entrant against another: indices. */
  readonly against: readonly (readonly [number, number])[]
  /** The case in `ceilings` that is the same job, and has the same results. */
  readonly job?: 'json-in-out' | 'keyed-aggregate'
}

const dhaara = (module: string, ...variants: string[]): Entrant[] =>
  variants.map((variant) => ({ name: 'dhaara', module, variant }))
const loop = (...variants: string[]): Entrant[] =>
  variants.map((variant) => ({ name: 'kafkajs', module: 'kafkajs', variant }))
const streams = (...variants: string[]): Entrant[] => variants.map((variant) => ({ name: 'kafka-streams', variant }))

const guarantees = ['exactly-once', 'at-least-once'] as const

const cases: readonly Case[] = [
  {
    name: 'source',
    entrants: [...dhaara('source', 'decoded', 'json'), ...loop('decoded', 'json')],
    against: [
      [0, 2],
      [1, 3],
    ],
  },
  { name: 'sink', entrants: [...dhaara('sink', 'default'), ...loop('default')], against: [[0, 1]] },
  {
    name: 'json-in-out',
    entrants: [...dhaara('app', ...guarantees), ...loop('at-least-once'), ...streams(...guarantees)],
    against: [
      [0, 1],
      [0, 3],
      [1, 4],
      [1, 2],
    ],
    job: 'json-in-out',
  },
  {
    name: 'keyed-aggregate',
    entrants: [...dhaara('app', ...guarantees), ...streams(...guarantees)],
    against: [
      [0, 1],
      [0, 2],
      [1, 3],
    ],
    job: 'keyed-aggregate',
  },
  ...(['json-in-out', 'keyed-aggregate'] as const).map(
    (job): Case => ({
      name: `client-${job}`,
      entrants: [...dhaara('app', 'exactly-once'), { name: 'dhaara', variant: 'no broker', noBroker: true }],
      against: [[0, 1]],
      job,
    }),
  ),
]

/** @returns the exit code: 1 if a subject's rows were wrong */
export async function main(args: readonly string[]): Promise<number> {
  const log = (text: string): void => console.error(text)
  const options = suiteOptions('kafka', args, [...cases.map(({ name }) => name), 'restart'])
  const missing = missingTools()
  if (missing !== undefined) {
    log(`Skipped: kafka, since ${missing}`)
    return 0
  }
  const noStreams = missingJava()
  if (noStreams !== undefined) log(`Skipped: Kafka Streams, since ${noStreams}`)
  return withKafka((brokers) => measureOn(brokers, options, noStreams === undefined, log))
}

async function measureOn(
  brokers: readonly string[],
  options: SuiteOptions,
  streams: boolean,
  log: (text: string) => void,
): Promise<number> {
  const remoteLog = await kafkaBroker({ brokers })[remote]()
  try {
    const settings: RunOptions = {
      runs: options.runs,
      records: options.records ?? 2_000_000,
      warmUp: options.warmUp ?? 500_000,
      subjects: options.subjects,
      log,
    }
    const lines: ThroughputLine[] = []
    const named = (name: string): boolean => options.named.length === 0 || options.named.includes(name)
    for (const one of cases) {
      if (!named(one.name)) continue
      lines.push(...(await measureCase(one, brokers, remoteLog, settings, streams)))
    }
    if (named('restart')) lines.push(...(await restart(brokers, remoteLog, settings, streams)))
    if (options.json) for (const line of lines) console.log(JSON.stringify(line))
    else console.log(tableOf(lines))
    return lines.every(({ correct }) => correct) ? 0 : 1
  } finally {
    await remoteLog.release()
  }
}

/** Of runs that leave nothing in the output topic, what they say themselves. */
const outcomeIn = (figures: Figures | Measured, found: () => Promise<Outcome>): Promise<Outcome> | Outcome =>
  'checksum' in figures ? figures : (figures.outcome ?? found())

interface Results {
  readonly entrant: Entrant
  readonly runs: Measured[]
  correct: boolean
}

async function measureCase(
  { name, entrants, against, job: sameAs }: Case,
  brokers: readonly string[],
  log: RemoteLog,
  options: RunOptions,
  withStreams: boolean,
): Promise<ThroughputLine[]> {
  const bench = ceilings.cases.find((one) => one.name === (sameAs ?? 'json-in-out'))!
  const spec = await planRun(bench, options, '.cache/bench')
  const right =
    sameAs === undefined ? undefined : expected((await import(join(bench.folder, 'reference.ts'))).reference, spec)
  const app = `bench-${randomUUID().slice(0, 8)}`
  const input = `${app}.in`
  const total = spec.warmUp + spec.records
  options.log(`${name}: writing ${total.toLocaleString('en-US')} records`)
  await loadOrders(log, spec.workload, input, partitions, total)
  const wanted = ({ name: who }: Entrant): boolean =>
    (withStreams || who !== 'kafka-streams') && (options.subjects === undefined || options.subjects.includes(who))
  const results = entrants.map((entrant): Results => ({ entrant, runs: [], correct: true }))
  for (let run = 0; run < options.runs; run++) {
    // back and forth, so that nobody always runs on the machine that the same one has warmed
    for (const result of run % 2 === 0 ? results : results.toReversed()) {
      if (!wanted(result.entrant)) continue
      const own = `${app}-${run}-${results.indexOf(result)}`
      const output = `${own}.out`
      await log.createTopics([lastingTopic(output, partitions)])
      const job = {
        case: sameAs ?? name,
        brokers,
        input,
        output,
        partitions,
        warmUp: spec.warmUp,
        records: spec.records,
        app: own,
      }
      const { noBroker } = result.entrant
      const figures = noBroker
        ? await runSubject(join(bench.folder, 'dhaara.ts'), 'codegen', spec)
        : await runOnce(result.entrant, job)
      const outcome = await outcomeIn(figures, () => outcomeOf(log, output, partitions))
      const ok =
        right === undefined
          ? outcome.rows === total
          : outcome.rows === right.rows && outcome.checksum === right.checksum
      if (!ok) result.correct = false
      result.runs.push({ ...figures, ...outcome })
      const rate = Math.round(figures.records / figures.cpuSeconds).toLocaleString('en-US')
      const wrong = ok
        ? ''
        : `, WRONG: ${outcome.rows} rows ${outcome.checksum}, not ${right?.rows ?? total} ${right?.checksum ?? ''}`
      options.log(
        `${name}, ${result.entrant.name} (${result.entrant.variant}), run ${run + 1}: ${rate} records/CPU s${wrong}`,
      )
      await removeTopics(log, own)
    }
  }
  await removeTopics(log, app)
  const lineFor = ({ entrant, runs, correct }: Results, other?: Results): ThroughputLine =>
    lineOf({
      suite: 'kafka',
      case: name,
      subject: entrant.name,
      variant: entrant.variant,
      summary: summarise(runs, 'cpu'),
      ...(other === undefined
        ? {}
        : {
            yardstick: {
              name: `${other.entrant.name} (${other.entrant.variant})`,
              summary: summarise(other.runs, 'cpu'),
            },
          }),
      ratioOf: 'cpu',
      correct,
      checksum: runs[0]!.checksum,
    })
  const measured = results.filter(({ runs }) => runs.length > 0)
  const pairs = against
    .map(([one, other]) => [results[one] as Results, results[other] as Results] as const)
    .filter((pair) => pair.every(({ runs }) => runs.length > 0))
  return [...measured.map((one) => lineFor(one)), ...pairs.map(([one, other]) => lineFor(one, other))]
}
