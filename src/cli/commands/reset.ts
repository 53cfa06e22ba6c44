import type { Command } from 'commander'
import { type EmbeddedLease, openEmbedded } from '../../connectors/broker/index.ts'
import { embeddedBroker } from '../../connectors/embedded/index.ts'
import { appsOf, forgetApp } from '../../engine/app/state/identity.ts'
import { forgetManifest } from '../../engine/app/state/manifest.ts'
import { DhaaraError } from '../../errors/index.ts'
import { STATE_SPACE } from '../../state/stores/index.ts'
import { existingDirectory, several } from '../arguments.ts'
import { ProgressRows } from '../input/progress.ts'
import { resetOnKafka } from '../kafka/reset.ts'
import { brokersFlag } from '../kafka/topic-client.ts'
import { print } from '../output/print.ts'
import { AppRows } from '../query/app-rows.ts'
import { onlyApp } from './query.ts'

interface ResetFlags {
  readonly dir?: string
  readonly brokers?: string
  readonly applicationId?: string
  readonly topic?: readonly string[]
  readonly allTopics?: true
  readonly yes?: true
  readonly json?: true
}

const help = `
The app then begins anew: with empty stores, at the start of its inputs. Topics stay unless they are named: what the app
wrote before the reset is still in its output topics, and it will write it again. The app must not run.

Examples:
  $ dhaara reset --dir ./data                                  # shows what would go
  $ dhaara reset --dir ./data --topic trends --topic alerts --yes
  $ dhaara reset --dir ./data --application-id flipkart --all-topics --yes
  $ dhaara reset --brokers localhost:9092 --application-id flipkart --yes`

export function addReset(program: Command): void {
  program
    .command('reset')
    .summary("drop an app's state and positions")
    .description("Drop an app's stores, timers and positions. Without --yes nothing goes: it is told what would.")
    .option('--dir <path>', 'the directory')
    .option(...brokersFlag)
    .option('--application-id <id>', 'which app, where the directory has several')
    .option('--topic <topic>', 'delete this topic too (repeatable)', several)
    .option('--all-topics', 'delete all topics of the directory too')
    .option('--yes', 'do it')
    .option('--json', 'tell it as one JSON document')
    .addHelpText('after', help)
    .action((flags: ResetFlags) => reset(flags))
}

async function reset(flags: ResetFlags): Promise<void> {
  const { dir, brokers } = flags
  if (brokers !== undefined) return resetOnKafka({ ...flags, brokers })
  if (dir === undefined)
    throw new DhaaraError('DHAARA_OPTION', 'neither --dir nor --brokers is given; say where the app is')
  await using broker = embeddedBroker({ dir: existingDirectory(dir) })
  const lease = await openEmbedded(broker)
  try {
    const app = onlyApp(lease.backend, flags.applicationId)
    const stores = [...(appsOf(lease.backend).get(app) ?? [])]
    const topics = topicsToGo(lease, flags)
    const loss: Loss = {
      app,
      done: flags.yes === true,
      stores: Object.fromEntries(stores.map(([name, id]) => [name, rowsOf(lease, id)])),
      topics: Object.fromEntries(topics.map((topic) => [topic, recordsOf(lease, topic)])),
    }
    if (!flags.yes) return await print(flags.json ? `${JSON.stringify(loss)}\n` : lossText(loss))
    for (const [, id] of stores) lease.backend.clearRange(idStart(id), idStart(id + 1))
    forgetManifest(lease.backend, app)
    forgetApp(lease.backend, app)
    new AppRows(lease.backend).delete(app)
    const rows = new ProgressRows(lease.backend)
    for (const topic of topics) {
      const batch = lease.backend.batch()
      rows.delete(batch, topic)
      batch.commit()
      lease.log.deleteTopic(topic)
    }
    await print(flags.json ? `${JSON.stringify(loss)}\n` : lossText(loss))
  } finally {
    await lease.release()
  }
}

function topicsToGo({ log }: EmbeddedLease, { topic = [], allTopics }: ResetFlags): readonly string[] {
  const known = log.topics().map(({ name }) => name)
  const unknown = topic.filter((name) => !known.includes(name))
  if (unknown.length > 0) {
    throw new DhaaraError(
      'DHAARA_OPTION',
      `there is no topic ${unknown.join(', ')}; there are: ${known.join(', ') || 'none'}`,
    )
  }
  return allTopics ? known : topic
}

/** What goes, or would: rows by store, records by topic. */
interface Loss {
  readonly app: string
  readonly done: boolean
  readonly stores: Readonly<Record<string, number>>
  readonly topics: Readonly<Record<string, number>>
}

function lossText({ app, done, stores, topics }: Loss): string {
  const isTimers = (name: string): boolean => /\.(wall-)?timers$/.test(name)
  const rows = Object.entries(stores)
  const timers = rows.reduce((sum, [name, n]) => sum + (isTimers(name) ? n : 0), 0)
  return [
    `'${app}' ${done ? 'has lost' : 'would lose'}:`,
    `  positions and watermarks: ${stores.$tasks ?? 0} rows`,
    ...rows.filter(([name]) => name !== '$tasks' && !isTimers(name)).map(([name, n]) => `  store ${name}: ${n} rows`),
    `  timers: ${timers}`,
    ...Object.entries(topics).map(([topic, n]) => `  topic ${topic}: ${n} records`),
    ...(done ? [] : ['Nothing has gone. Say --yes to do it.']),
    '',
  ].join('\n')
}

const idStart = (id: number): Buffer => Buffer.of(STATE_SPACE, id >> 8, id & 0xff)

function rowsOf({ backend }: EmbeddedLease, id: number): number {
  let rows = 0
  for (const _ of backend.range({ gte: idStart(id), lt: idStart(id + 1) })) rows++
  return rows
}

function recordsOf({ log }: EmbeddedLease, topic: string): number {
  let records = 0
  for (let p = 0; p < (log.topic(topic)?.partitions ?? 0); p++)
    records += log.endOffset(topic, p) - log.startOffset(topic, p)
  return records
}
