import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { openEmbedded } from '../../connectors/broker/index.ts'
import { connectDirectory, embeddedBroker, readOwner } from '../../connectors/embedded/index.ts'
import {
  createSavepoint,
  readSavepoint,
  restoreSavepoint,
  type Savepoint,
  savepointRequest,
} from '../../engine/app/state/savepoint.ts'
import type { Positions } from '../../engine/rescale/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import type { Backend } from '../../state/backend.ts'
import { existingDirectory, setting } from '../arguments.ts'
import { postJson, tokenFlag } from '../http-client.ts'
import { createOnKafka, restoreOnKafka } from '../kafka/savepoint.ts'
import { brokersFlag } from '../kafka/topic-client.ts'
import { print } from '../output/print.ts'
import { runningApp } from '../query/running-app.ts'
import { onlyApp } from './query.ts'

interface Flags {
  readonly dir?: string
  readonly brokers?: string
  readonly module?: string
  readonly set?: Readonly<Record<string, string>>
  readonly url?: string
  readonly token?: string
  readonly positions: Positions
  readonly applicationId?: string
  readonly json?: true
}

/** What is told of a savepoint. */
interface Told {
  readonly app: string
  readonly createdAt: string
  readonly stores: number
  readonly rows: number
}

const help = `
A savepoint holds all state of an app: stores, timers, watermarks, records in flight, and how far it has read its topics, whose
records it does not hold. An app that runs goes on meanwhile; it is asked through its directory, or with --url over HTTP (it
needs http: {admin: true}). Another version of the topology may start on it, with other partitions.

Examples:
  $ dhaara savepoint create ./savepoints/monday --dir ./data
  $ dhaara savepoint create /var/savepoints/monday --url http://localhost:8090
  $ dhaara savepoint list ./savepoints
  $ dhaara reset --dir ./data --yes
  $ dhaara savepoint restore ./savepoints/monday --dir ./data
  $ dhaara savepoint restore ./savepoints/monday --dir ./other --positions start
  $ dhaara savepoint create ./savepoints/kafka --brokers localhost:9092 --module topology.ts   # its instances are stopped
  $ dhaara savepoint restore ./savepoints/monday --brokers localhost:9092 --module topology.ts`

export function addSavepoint(program: Command): void {
  const savepoint = program
    .command('savepoint')
    .summary("copy an app's state out, and in again")
    .description("Copy an app's state into files, and start from them again.")
    .addHelpText('after', help)
  savepoint
    .command('create')
    .description('Write the state of an app into a new folder.')
    .argument('<folder>', 'made for it')
    .option('--dir <path>', 'the directory')
    .option(...brokersFlag)
    .option('--module <file>', 'its topology, with --brokers')
    .option('--set <k=v>', 'a setting for the module (repeatable)', setting)
    .option('--url <url>', 'where the app is served over HTTP; the folder is one of its machine')
    .option(...tokenFlag)
    .option('--application-id <id>', 'which app, where the directory has several')
    .option('--json', 'tell it as one JSON document')
    .action(async (folder: string, flags: Flags) => tell(folder, await create(folder, flags), flags.json))
  savepoint
    .command('list')
    .description('Show the savepoints in a folder.')
    .argument('<folder>', 'of savepoints, or a savepoint itself')
    .option('--json', 'one JSON document a line')
    .action(async (folder: string, { json }: { readonly json?: true }) => {
      if (!existsSync(folder)) throw new DhaaraError('DHAARA_SAVEPOINT', `savepoint: there is no folder ${folder}`)
      const paths = [
        folder,
        ...readdirSync(folder)
          .toSorted()
          .map((name) => join(folder, name)),
      ]
      for (const path of paths)
        if (existsSync(join(path, 'savepoint.json'))) await tell(path, told(readSavepoint(path)), json)
    })
  savepoint
    .command('restore')
    .description('Put a savepoint in the place of state that is gone (dhaara reset).')
    .argument('<folder>', 'of the savepoint')
    .option('--dir <path>', 'the directory; made if it is not there')
    .option(...brokersFlag)
    .option('--module <file>', 'its topology, with --brokers')
    .option('--set <k=v>', 'a setting for the module (repeatable)', setting)
    .option('--application-id <id>', 'for which app; default: that of the savepoint')
    .addOption(
      new Option(
        '--positions <where>',
        'go on where the app was (grown: in topics that have more partitions now, too), or where its topics begin or end',
      )
        .choices(['keep', 'grown', 'start', 'end'])
        .default('keep'),
    )
    .option('--json', 'tell it as one JSON document')
    .action(async (folder: string, flags: Flags) => tell(folder, told(await restoreTo(folder, flags)), flags.json))
  for (const command of savepoint.commands) command.exitOverride()
}

async function restoreTo(folder: string, flags: Flags): Promise<Savepoint> {
  const { dir, brokers, positions } = flags
  if ((dir === undefined) === (brokers === undefined))
    throw new DhaaraError('DHAARA_OPTION', 'savepoint restore needs --dir or --brokers, one of them')
  const app = flags.applicationId ?? readSavepoint(folder).app
  if (brokers !== undefined) return restoreOnKafka(folder, { ...flags, brokers, applicationId: app }, positions)
  return using(resolve(dir as string), (backend) => restoreSavepoint(backend, app, folder, positions))
}

/** By the app, if it runs; else from its directory. */
async function create(folder: string, flags: Flags): Promise<Told> {
  const { dir, url, brokers, token, applicationId } = flags
  if ([dir, url, brokers].filter((one) => one !== undefined).length !== 1)
    throw new DhaaraError('DHAARA_OPTION', 'savepoint create needs --dir, --brokers or --url, one of them')
  if (brokers !== undefined) return told(await createOnKafka(resolve(folder), { ...flags, brokers }))
  if (url !== undefined) return byHttp(folder, url, token)
  const path = existingDirectory(dir as string)
  if (readOwner(path)?.socket !== undefined) {
    await using client = await connectDirectory(path)
    if (client.remote) {
      const app = await runningApp(client, savepointRequest, applicationId)
      return told((await client.call(savepointRequest(app), { folder: resolve(folder) })) as Savepoint)
    }
  }
  return using(path, async (backend) =>
    told(await createSavepoint(backend, onlyApp(backend, applicationId), resolve(folder), Date.now())),
  )
}

function byHttp(folder: string, url: string, token: string | undefined): Promise<Told> {
  return postJson({ url, ...(token === undefined ? {} : { token }) }, 'api/savepoints', { folder })
}

async function using<T>(dir: string, act: (backend: Backend) => Promise<T>): Promise<T> {
  await using broker = embeddedBroker({ dir })
  const lease = await openEmbedded(broker)
  try {
    return await act(lease.backend)
  } finally {
    await lease.release()
  }
}

function told({ app, createdAt, stores }: Savepoint): Told {
  let rows = 0
  for (const { files } of stores) for (const file of files) rows += file.rows
  return { app, createdAt, stores: stores.length, rows }
}

function tell(path: string, { app, createdAt, stores, rows }: Told, json: true | undefined): Promise<void> {
  if (json) return print(`${JSON.stringify({ path, app, createdAt, stores, rows })}\n`)
  return print(`${path}: ${app}, ${createdAt}, ${stores} stores, ${rows} rows\n`)
}
