/**
 * The engine beside others, over the same bytes: Kafka Streams and Flink on the JVM, and what npm has. Each line of the engine
 * is against one of them; above 1 the engine is the faster one. What a peer leaves out (state that survives, for example) stands
 * in `bench/README.md`, with its settings.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { missingTools } from '../../../scripts/kafka/jars.ts'
import { withKafka } from '../../harness/kafka.ts'
import { runSuite } from '../../harness/run-suite.ts'
import type { BenchCase, BenchSubject } from '../../harness/subject.ts'
import { suite as ceilings } from '../ceilings/index.ts'
import { missingJava, runJava } from './java.ts'

const names = ['json-in-out', 'keyed-aggregate', 'keyed-aggregate-large', 'tumbling', 'table-join']
const inMemory = ['rxjs', 'generators', 'node-streams']

/** @returns the exit code: 1 if a subject's rows were wrong, 2 if the command line was */
export async function main(args: readonly string[]): Promise<number> {
  const log = (text: string): void => console.error(text)
  const missing = missingJava()
  const noBroker = missing ?? missingTools()
  if (missing !== undefined) log(`Skipped: Flink and Kafka Streams, since ${missing}`)
  else if (noBroker !== undefined) log(`Skipped: Kafka Streams, since ${noBroker}`)
  const wantsBroker = noBroker === undefined && (!args.includes('--subject') || args.includes('kafka-streams'))
  const run = (bootstrap?: string): Promise<number> => {
    const cases = names.map((name) => caseOf(name, missing === undefined, bootstrap))
    return runSuite({ name: 'peers', cases }, args)
  }
  return wantsBroker ? withKafka((brokers) => run(brokers.join(','))) : run()
}

function caseOf(name: string, java: boolean, bootstrap: string | undefined): BenchCase {
  const bench = ceilings.cases.find((other) => other.name === name)!
  const folder = join(import.meta.dirname, name)
  const subjects: BenchSubject[] = inMemory.map((subject) => ({ name: subject, variants: ['in memory'], folder }))
  if (java) subjects.push({ name: 'flink', variants: flinkVariants(name), run: (job) => runJava('flink', job) })
  if (bootstrap !== undefined) {
    const variants = name === 'json-in-out' ? ['usual', 'tuned'] : ['usual', 'exactly-once', 'tuned']
    subjects.push({ name: 'kafka-streams', variants, run: (job) => runJava('kafka-streams', job, bootstrap) })
  }
  const own = existsSync(join(folder, 'dhaara.ts')) ? { yardstickFolder: folder } : {}
  return { ...bench, ...own, yardstick: 'dhaara', turned: true, subjects, warmUp: 500_000, records: 1_500_000 }
}

/** Without state there is nothing to write down. */
const flinkVariants = (name: string): string[] =>
  name === 'json-in-out' ? ['heap'] : ['rocksdb', 'rocksdb-tuned', 'heap']
