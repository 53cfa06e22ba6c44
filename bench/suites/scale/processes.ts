/**
 * 1 to 4 processes of one app on a real Kafka: each an instance of the engine with its share of 8 partitions, exactly once, state in
 * RocksDB with a changelog. The job is `keyed-aggregate`, of records that are keyed already: what a key's rows are does not depend
 * on who is ahead, so that all of them can be held to the reference; and a repartition would triple what the broker has to do, which
 * shares the machine, and be a measure of the broker.
 *
 * All records lie in the topic before the clock starts, in a transaction that is still open: nobody may read them yet. When the
 * instances have their shares and have gone through a warm-up, it is committed, and the clock starts.
 *
 *     transaction 1: warm-up ─▶ commit, when all are assigned
 *     transaction 2: records ─▶ commit, when the warm-up's rows are read ─ clock ─▶ the last row is read, committed
 */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { missingTools } from '../../../scripts/kafka/jars.ts'
import { type RemoteLog, type RemoteWriter, remote } from '../../../src/connectors/broker/remote.ts'
import { kafkaBroker } from '../../../src/index.ts'
import { type Apart, startApart } from '../../harness/apart.ts'
import { withKafka } from '../../harness/kafka.ts'
import { CommittedRows, lastingTopic, outcomeOf, removeTopics, sendOrders } from '../../harness/kafka-orders.ts'
import { expected } from '../../harness/measure.ts'
import { lineOf } from '../../harness/report.ts'
import type { Measured, RunSpec } from '../../harness/run.ts'
import { planRun, type RunOptions } from '../../harness/runner.ts'
import { median, summarise } from '../../harness/statistics.ts'
import { suite as ceilings } from '../ceilings/index.ts'
import { reference } from '../ceilings/keyed-aggregate/reference.ts'
import type { InstanceJob, InstanceQuestions } from './instance.ts'
import type { ScaleLine } from './line.ts'

const partitions = 8
const counts = [1, 2, 3, 4]
const script = resolve(import.meta.dirname, 'instance.ts')
/** A transaction is open for as long as loading, starting and warming up take. */
const transactionTimeoutMs = 300_000
const mostJoiningMs = 60_000

type Instance = Apart<InstanceQuestions>

interface OnMachine extends Measured {
  readonly busyCores: number
}

/** Nothing, with the reason in the log, where there is no Java. */
export async function measureProcesses(options: RunOptions): Promise<ScaleLine[]> {
  const missing = missingTools()
  if (missing !== undefined) {
    options.log(`Skipped: processes, since ${missing}`)
    return []
  }
  return withKafka((brokers) => measureOn(brokers, options, counts))
}

/** @param counts of processes, each against the first of them, run in turn with it */
export async function measureOn(
  brokers: readonly string[],
  options: RunOptions,
  counts: readonly number[],
): Promise<ScaleLine[]> {
  const bench = ceilings.cases.find(({ name }) => name === 'keyed-aggregate')!
  const sized = { ...options, warmUp: options.warmUp ?? 1_000_000, records: options.records ?? 1_000_000 }
  const spec = await planRun(bench, sized, options.cache ?? '.cache/bench')
  const right = expected(reference, spec)
  const isRight = ({ rows, checksum }: Measured): boolean => rows === right.rows && checksum === right.checksum
  const log = await kafkaBroker({ brokers })[remote]()
  const measured = counts.map((): OnMachine[] => [])
  try {
    options.log('processes: a run for the broker, which is compiled as it goes')
    await runOnce(brokers, log, spec, Math.max(...counts))
    for (let run = 0; run < options.runs; run++) {
      const turn = [...counts.entries()]
      for (const [i, processes] of run % 2 === 0 ? turn : turn.toReversed()) {
        const figures = await runOnce(brokers, log, spec, processes)
        measured[i]!.push(figures)
        const rate = (seconds: number): string => Math.round(figures.records / seconds).toLocaleString('en-US')
        const rates = `${rate(figures.seconds)} records/s, ${rate(figures.cpuSeconds)} records/CPU s`
        options.log(`processes ${processes}, run ${run + 1}: ${rates}${isRight(figures) ? '' : ', WRONG'}`)
      }
    }
  } finally {
    await log.release()
  }
  const summaries = measured.map((runs) => summarise(runs, 'wall'))
  return counts.map((x, i) => ({
    ...lineOf({
      suite: 'scale',
      case: 'processes',
      subject: 'dhaara',
      variant: String(x),
      summary: summaries[i]!,
      ...(i > 0 && { yardstick: { name: String(counts[0]), summary: summaries[0]! } }),
      ratioOf: 'wall',
      correct: measured[i]!.every(isRight),
      checksum: measured[i]![0]!.checksum,
    }),
    x,
    busyCores: Number(median(measured[i]!.map(({ busyCores }) => busyCores)).toFixed(2)),
  }))
}

/** CPU time and memory are those of all processes together. */
async function runOnce(
  brokers: readonly string[],
  log: RemoteLog,
  { workload, warmUp, records }: RunSpec,
  processes: number,
): Promise<OnMachine> {
  const app = `scale-${randomUUID().slice(0, 8)}`
  const [input, output] = [`${app}.in`, `${app}.out`]
  const dir = mkdtempSync(join(tmpdir(), 'dhaara-scale-'))
  const writers = ['warm-up', 'records'].map((name) =>
    log.writer({ transactionalId: `${app}-${name}`, transactionTimeoutMs }),
  ) as [RemoteWriter, RemoteWriter]
  let instances: readonly Instance[] = []
  try {
    await log.createTopics([lastingTopic(input, partitions), lastingTopic(output, partitions)])
    for (const writer of writers) await writer.init()
    const [first, second] = writers
    await sendOrders(first, input, partitions, { workload, from: 0, to: warmUp })
    await sendOrders(second, input, partitions, { workload, from: warmUp, to: warmUp + records })
    const job = (i: number): InstanceJob => ({ brokers, app, input, output, dir: join(dir, String(i)) })
    instances = await Promise.all(
      Array.from({ length: processes }, (_, i) => startApart<InstanceQuestions>(script, job(i))),
    )
    const before = await shares(instances)
    const rows = new CommittedRows(log, output, partitions)
    await first.commit([], undefined)
    await rows.until(() => rows.count >= warmUp)
    for (const instance of instances) await instance.ask('begin')
    const [began, busyBefore] = [performance.now(), busySeconds()]
    await second.commit([], undefined)
    await rows.until(() => rows.count >= warmUp + records)
    const seconds = (performance.now() - began) / 1000
    const busyCores = (busySeconds() - busyBefore) / seconds
    const used = await Promise.all(instances.map((instance) => instance.ask('used')))
    await rows.close()
    const after = await shares(instances)
    if (after !== before) throw new Error(`Tasks have moved while they were measured: ${before}, then ${after}`)
    const sum = (of: 'cpuSeconds' | 'peakRssMb'): number => used.reduce((all, one) => all + one[of], 0)
    const outcome = await outcomeOf(log, output, partitions)
    return { records, seconds, busyCores, cpuSeconds: sum('cpuSeconds'), peakRssMb: sum('peakRssMb'), ...outcome }
  } finally {
    // one that has died has said so above
    await Promise.allSettled(instances.map((instance) => instance.ask('close').then(() => instance.end())))
    await Promise.all(writers.map((writer) => writer.close()))
    await removeTopics(log, app)
    rmSync(dir, { recursive: true, force: true })
  }
}

/** What all processors have worked since the machine was started. */
const busySeconds = (): number =>
  cpus().reduce((all, { times: { user, nice, sys, irq } }) => all + user + nice + sys + irq, 0) / 1000

/** Who has which tasks, once each has its share. */
async function shares(instances: readonly Instance[]): Promise<string> {
  for (const until = Date.now() + mostJoiningMs; ; await sleep(50)) {
    const tasks = await Promise.all(instances.map((instance) => instance.ask('tasks')))
    if (areShared(tasks)) return tasks.map((own) => own.join(' ')).join(' | ')
    if (Date.now() > until)
      throw new Error(`After ${mostJoiningMs} ms tasks are not shared out: ${JSON.stringify(tasks)}`)
  }
}

/** Each task is in one place, and nobody has two more than another. */
export function areShared(tasks: readonly (readonly string[])[]): boolean {
  const sizes = tasks.map((own) => own.length)
  const all = tasks.flat()
  return all.length === partitions && new Set(all).size === partitions && Math.max(...sizes) - Math.min(...sizes) <= 1
}
