import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { openEmbedded } from '../../connectors/broker/index.ts'
import { embeddedBroker } from '../../connectors/embedded/index.ts'
import { createSavepoint, readSavepoint, restoreSavepoint, type Savepoint } from '../../engine/app/savepoint.ts'
import { DhaaraError } from '../../errors/index.ts'
import type { Backend } from '../../state/backend.ts'
import { existingDirectory } from '../arguments.ts'
import { print } from '../output/print.ts'
import { onlyApp } from './query.ts'

interface Flags {
  readonly dir: string
  readonly applicationId?: string
  readonly json?: true
}

const help = `
The app must not run. A savepoint holds all its state: stores, timers, watermarks, and how far it has read its topics, whose
records it does not hold. Another version of the topology may start on it.

Examples:
  $ dhaara savepoint create ./savepoints/monday --dir ./data
  $ dhaara savepoint list ./savepoints
  $ dhaara reset --dir ./data --yes
  $ dhaara savepoint restore ./savepoints/monday --dir ./data`

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
    .requiredOption('--dir <path>', 'the directory')
    .option('--application-id <id>', 'which app, where the directory has several')
    .option('--json', 'tell it as one JSON document')
    .action((folder: string, flags: Flags) =>
      using(flags, async (backend) => {
        const made = await createSavepoint(backend, onlyApp(backend, flags.applicationId), resolve(folder), Date.now())
        await tell(folder, made, flags.json)
      }),
    )
  savepoint
    .command('list')
    .description('Show the savepoints in a folder.')
    .argument('<folder>', 'of savepoints')
    .option('--json', 'one JSON document a line')
    .action(async (folder: string, { json }: { readonly json?: true }) => {
      if (!existsSync(folder)) throw new DhaaraError('DHAARA_SAVEPOINT', `savepoint: there is no folder ${folder}`)
      for (const name of readdirSync(folder).sort()) {
        const path = join(folder, name)
        if (existsSync(join(path, 'savepoint.json'))) await tell(path, readSavepoint(path), json)
      }
    })
  savepoint
    .command('restore')
    .description('Put a savepoint in the place of state that is gone (dhaara reset).')
    .argument('<folder>', 'of the savepoint')
    .requiredOption('--dir <path>', 'the directory')
    .option('--application-id <id>', 'for which app; default: that of the savepoint')
    .option('--json', 'tell it as one JSON document')
    .action((folder: string, flags: Flags) =>
      using(flags, async (backend) => {
        const app = flags.applicationId ?? readSavepoint(folder).app
        await tell(folder, await restoreSavepoint(backend, app, folder), flags.json)
      }),
    )
  for (const command of savepoint.commands) command.exitOverride()
}

async function using({ dir }: Flags, act: (backend: Backend) => Promise<void>): Promise<void> {
  await using broker = embeddedBroker({ dir: existingDirectory(dir) })
  const lease = await openEmbedded(broker)
  try {
    await act(lease.backend)
  } finally {
    await lease.release()
  }
}

function tell(path: string, { app, createdAt, stores }: Savepoint, json: true | undefined): Promise<void> {
  let rows = 0
  for (const { files } of stores) for (const file of files) rows += file.rows
  if (json) return print(`${JSON.stringify({ path, app, createdAt, stores: stores.length, rows })}\n`)
  return print(`${path}: ${app}, ${createdAt}, ${stores.length} stores, ${rows} rows\n`)
}
