/**
 * An instance with a million keys is killed (`kill -9`). `local`: it is started again where it was; `changelog`: where nothing is
 * left of its directory. Its name is the same, so that the group does not wait for the dead one. Seconds go from the start of
 * the app to the moment that it runs.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import type { RemoteLog } from '../../../src/connectors/broker/remote.ts'
import { lastingTopic, loadOrders, outcomeOf, removeTopics } from '../../harness/kafka-orders.ts'
import type { Measured } from '../../harness/run.ts'
import { lineOf, type ThroughputLine } from '../../harness/report.ts'
import { planRun, type RunOptions } from '../../harness/runner.ts'
import { summarise } from '../../harness/statistics.ts'
import { suite as ceilings } from '../ceilings/index.ts'
import { commandOf } from '../peers/java.ts'
import type { Figures, KafkaJob } from './job.ts'
import { streamsClass } from './runs.ts'

const partitions = 4
const script = join(import.meta.dirname, 'subjects', 'life.ts')

type Who = 'dhaara' | 'kafka-streams'

export async function restart(
  brokers: readonly string[],
  log: RemoteLog,
  options: RunOptions,
  withStreams: boolean,
): Promise<ThroughputLine[]> {
  const bench = ceilings.cases.find(({ name }) => name === 'keyed-aggregate-large')!
  const records = options.records as number
  const spec = await planRun(bench, { ...options, warmUp: records / 2, records: records / 2 }, '.cache/bench')
  const total = spec.warmUp + spec.records
  const base = `bench-${randomUUID().slice(0, 8)}`
  const input = `${base}.in`
  options.log(`restart: writing ${total.toLocaleString('en-US')} records`)
  await loadOrders(log, spec.workload, input, partitions, total)
  const lines = new Map<string, { runs: Measured[]; correct: boolean }>()
  const all: readonly Who[] = ['dhaara', 'kafka-streams']
  const who = all.filter((one) => (withStreams || one === 'dhaara') && (options.subjects?.includes(one) ?? true))
  for (const name of who) {
    const app = `${base}-${name}`
    const output = `${app}.out`
    await log.createTopics([lastingTopic(output, partitions)])
    const dir = mkdtempSync(join(tmpdir(), 'dhaara-bench-'))
    const job = { case: 'keyed-aggregate', variant: 'exactly-once', brokers, input, output, partitions, warmUp: 0, app }
    try {
      options.log(`restart: ${name} fills ${total.toLocaleString('en-US')} records`)
      await live(name, { ...job, records: total, dir }, async () => {
        // what came in last may not be committed yet
        for (const until = Date.now() + 60_000; Date.now() < until; await delay(200))
          if ((await outcomeOf(log, output, partitions)).rows >= total) return
      })
      const state = (await log.topics()).find(({ name: one }) => one === `${app}-totals-changelog`)
      if (state === undefined) throw new Error(`${name} has made no changelog of the store 'totals'`)
      const where = Array.from({ length: partitions }, (_, partition) => ({ topic: state.name, partition }))
      const [starts, ends] = [await log.offsets(where, 'earliest'), await log.offsets(where, 'latest', true)]
      const changes = ends.reduce((sum, end, i) => sum + end - (starts[i] as number), 0)
      for (let run = 0; run < options.runs; run++) {
        for (const from of ['local', 'changelog'] as const) {
          if (from === 'changelog') rmSync(dir, { recursive: true, force: true })
          const figures = await live(name, { ...job, records: 0, dir })
          const outcome = await outcomeOf(log, output, partitions)
          const id = `${name}/${from}`
          const line = lines.get(id) ?? { runs: [], correct: true }
          lines.set(id, line)
          // a restart has to do nothing again
          if (outcome.rows !== total) line.correct = false
          // read again: all rows of the changelog; local: a record is a restart
          line.runs.push({ ...figures, records: from === 'changelog' ? changes : 1, ...outcome })
          options.log(
            `restart, ${name} (${from}), run ${run + 1}: ${figures.seconds.toFixed(2)} s, ${figures.cpuSeconds.toFixed(2)} CPU s`,
          )
        }
      }
    } finally {
      rmSync(dir, { recursive: true, force: true })
      await removeTopics(log, app)
    }
  }
  await removeTopics(log, base)
  return (['local', 'changelog'] as const).flatMap((from) => {
    const [own, other] = who.map((name) => lines.get(`${name}/${from}`)!)
    return who.map((name, i) => {
      const { runs, correct } = lines.get(`${name}/${from}`)!
      const against = i === 0 && own !== undefined && other !== undefined
      return lineOf({
        suite: 'kafka',
        case: 'restart',
        subject: name,
        variant: from,
        summary: summarise(runs, 'cpu'),
        ...(against ? { yardstick: { name: `kafka-streams (${from})`, summary: summarise(other.runs, 'cpu') } } : {}),
        ratioOf: 'cpu',
        correct,
        checksum: runs[0]!.checksum,
      })
    })
  })
}

/** One life, ended by SIGKILL when it has gone through its input. @throws Error: it ended before */
async function live(name: Who, job: KafkaJob, settled?: () => Promise<void>): Promise<Figures> {
  const { brokers, partitions: _, ...given } = job
  const bootstrap = brokers.join(',')
  const child =
    name === 'dhaara'
      ? spawn(process.execPath, [script, JSON.stringify(job)], { stdio: ['ignore', 'pipe', 'inherit'] })
      : spawn('java', commandOf('kafka-streams', streamsClass, { ...given, bootstrap, life: 'yes' }), {
          stdio: ['ignore', 'pipe', 'inherit'],
        })
  const gone = once(child, 'exit')
  const figures = await readLife(child)
  await settled?.()
  child.kill('SIGKILL')
  await gone
  if (figures === undefined) throw new Error(`a life of ${name} ended by itself`)
  return figures
}

async function readLife(child: ChildProcess): Promise<Figures | undefined> {
  let figures: Figures | undefined
  for await (const line of createInterface({ input: child.stdout! })) {
    if (line === 'done') return figures
    if (line.startsWith('{')) figures = JSON.parse(line) as Figures
  }
  return undefined
}
