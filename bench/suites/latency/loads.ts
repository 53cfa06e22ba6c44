/** Latency at shares of the capacity that was measured just before: `embedded`, and `kafka` with each guarantee. */
import { join } from 'node:path'
import { missingTools } from '../../../scripts/kafka/jars.ts'
import { answerOf } from '../../harness/apart.ts'
import { withKafka } from '../../harness/kafka.ts'
import { type Environment, environment } from '../../harness/report.ts'
import type { LoadAnswer, LoadJob } from './open-loop.ts'
import { partNames } from './parts.ts'

const shares = [0.1, 0.5, 0.8]

export interface LoadLine extends LoadAnswer, Environment {
  readonly suite: 'latency'
  readonly case: string
  readonly subject: 'dhaara'
  /** The guarantee, and the share of the capacity. */
  readonly variant: string
  readonly offeredPerSecond: number
  readonly capacityPerSecond: number
  /** The line is of the one whose p99 is the median. */
  readonly runs: number
}

export interface LoadTime {
  readonly seconds: number
  readonly runs: number
}

/** @param where `embedded` or `kafka` */
export async function measureLoads(
  where: 'embedded' | 'kafka',
  time: LoadTime,
  log: (text: string) => void,
): Promise<LoadLine[]> {
  if (where === 'embedded') return measureAll({ guarantee: 'exactly-once' }, where, time, log)
  const missing = missingTools()
  if (missing !== undefined) {
    log(`Skipped: kafka, since ${missing}`)
    return []
  }
  return withKafka(async (brokers) => {
    const lines: LoadLine[] = []
    for (const guarantee of ['exactly-once', 'at-least-once'] as const)
      lines.push(...(await measureAll({ brokers, guarantee }, where, time, log)))
    return lines
  })
}

async function measureAll(
  job: Omit<LoadJob, 'seconds'>,
  where: string,
  { seconds, runs }: LoadTime,
  log: (text: string) => void,
): Promise<LoadLine[]> {
  const most = await inChild({ ...job, seconds })
  const capacityPerSecond = Math.round(most.records / most.seconds)
  log(`${where} (${job.guarantee}): ${capacityPerSecond.toLocaleString('en-US')} records/s`)
  const lines: LoadLine[] = []
  for (const share of shares) {
    const offeredPerSecond = Math.round(capacityPerSecond * share)
    const answers: LoadAnswer[] = []
    for (let run = 0; run < runs; run++) answers.push(await inChild({ ...job, rate: offeredPerSecond, seconds }))
    const answer = answers.toSorted((a, b) => a.p99Ms - b.p99Ms)[answers.length >> 1] as LoadAnswer
    const variant = `${job.guarantee}, ${share * 100} %`
    const parts = partNames.map(
      (name) => `${name} ${answer.parts[name].p50.toFixed(1)}/${answer.parts[name].p99.toFixed(1)}`,
    )
    log(`${where} (${variant}): p50/p99 ${answer.p50Ms.toFixed(1)}/${answer.p99Ms.toFixed(1)} ms: ${parts.join(', ')}`)
    lines.push({
      suite: 'latency',
      case: where,
      subject: 'dhaara',
      variant,
      offeredPerSecond,
      capacityPerSecond,
      runs,
      ...answer,
      correct: answers.every(({ correct }) => correct),
      ...environment(),
    })
  }
  return lines
}

const inChild = (job: LoadJob): Promise<LoadAnswer> =>
  answerOf(join(import.meta.dirname, 'open-loop.ts'), [JSON.stringify(job)])
