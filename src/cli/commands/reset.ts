import type { Command } from 'commander'
import { type EmbeddedLease, openEmbedded } from '../../connectors/broker/index.ts'
import { embeddedBroker } from '../../connectors/embedded/index.ts'
import { appsOf, forgetApp } from '../../engine/app/identity.ts'
import { forgetManifest } from '../../engine/app/manifest.ts'
import { DhaaraError } from '../../errors/index.ts'
import { STATE_SPACE } from '../../state/stores/index.ts'
import { existingDirectory, several } from '../arguments.ts'
import { ProgressRows } from '../input/progress.ts'
import { print } from '../output/print.ts'
import { AppRows } from '../query/app-rows.ts'
import { onlyApp } from './query.ts'

interface ResetFlags {
  readonly dir: string
  readonly applicationId?: string
  readonly topic?: readonly string[]
  readonly allTopics?: true
  readonly yes?: true
}

const help = `
The app then begins anew: with empty stores, at the start of its inputs. Topics stay unless they are named: what the app
wrote before the reset is still in its output topics, and it will write it again. The app must not run.

Examples:
  $ dhaara reset --dir ./data                                  # shows what would go
  $ dhaara reset --dir ./data --topic trends --topic alerts --yes
  $ dhaara reset --dir ./data --application-id flipkart --all-topics --yes`

export function addReset(program: Command): void {
  program
    .command('reset')
    .summary("drop an app's state and positions")
    .description("Drop an app's stores, timers and positions. Without --yes nothing goes: it is told what would.")
    .requiredOption('--dir <path>', 'the directory')
    .option('--application-id <id>', 'which app, where the directory has several')
    .option('--topic <topic>', 'delete this topic too (repeatable)', several)
    .option('--all-topics', 'delete all topics of the directory too')
    .option('--yes', 'do it')
    .addHelpText('after', help)
    .action((flags: ResetFlags) => reset(flags))
}

async function reset(flags: ResetFlags): Promise<void> {
  await using broker = embeddedBroker({ dir: existingDirectory(flags.dir) })
  const lease = await openEmbedded(broker)
  try {
    const app = onlyApp(lease.backend, flags.applicationId)
    const stores = [...(appsOf(lease.backend).get(app) ?? [])]
    const topics = topicsToGo(lease, flags)
    const list = [
      ...stores.map(([name, id]) => `  ${storeText(name)}: ${rowsOf(lease, id)} rows`),
      ...topics.map((topic) => `  topic ${topic}: ${recordsOf(lease, topic)} records`),
    ]
    if (!flags.yes) {
      await print(`'${app}' would lose:\n${list.join('\n')}\nNothing has gone. Say --yes to do it.\n`)
      return
    }
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
    await print(`'${app}' has lost:\n${list.join('\n')}\n`)
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

const storeText = (name: string): string => (name === '$tasks' ? 'positions and watermarks' : `store ${name}`)
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
