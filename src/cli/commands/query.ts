import type { Command } from 'commander'
import { Option } from 'commander'
import { openEmbedded } from '../../connectors/broker/index.ts'
import { embeddedBroker, connectDirectory, readOwner } from '../../connectors/embedded/index.ts'
import { appsOf } from '../../engine/app/state/identity.ts'
import {
  arrowStream,
  type JsonRow,
  jsonRowsByText,
  type RowRequest,
  rowsRequest,
  type Scan,
} from '../../engine/query/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import type { BackendReader } from '../../state/backend.ts'
import { count, existingDirectory } from '../arguments.ts'
import { type Served, tokenFlag, urlFlag } from '../http-client.ts'
import { ownStores } from '../input/progress.ts'
import { loadModule } from '../load-module.ts'
import { print } from '../output/print.ts'
import { rowsText, type TableFormat } from '../output/table.ts'
import { AppRows } from '../query/app-rows.ts'
import { arrowOverHttp, changesOverHttp, rowsOverHttp } from '../query/http-rows.ts'
import { runningApp } from '../query/running-app.ts'
import { storedQueries } from '../query/stored-queries.ts'

interface QueryFlags {
  readonly dir?: string
  readonly url?: string
  readonly token?: string
  readonly by?: string
  readonly watch?: true
  readonly at?: string
  readonly applicationId?: string
  readonly module?: string
  readonly prefix?: string
  readonly from?: string
  readonly to?: string
  readonly limit: number
  readonly format: TableFormat | 'arrow'
  readonly json?: true
}

const help = `
A key is text, or JSON where it is no text: 42, '["a",1]'. Rows are those of the last checkpoint. While an app runs it
answers itself; else its state is read with the module that it was run with.

Examples:
  $ dhaara query customers c17 --dir ./data
  $ dhaara query inventory --prefix smartphone- --limit 20 --dir ./data
  $ dhaara query customers --by city Pune --dir ./data
  $ dhaara query category-trends books --from 2026-10-20T00:00:00Z --to 2026-10-21T00:00:00Z --dir ./data
  $ dhaara query customers c17 --url http://127.0.0.1:8090 --watch
  $ dhaara query customers --url http://127.0.0.1:8090 --limit 1000000 --format arrow > customers.arrows
  $ dhaara query sellers --format csv --dir ./data --application-id flipkart`

export function addQuery(program: Command): void {
  program
    .command('query')
    .summary("read an app's stores, running or not")
    .description(
      "Read rows of an app's store: all, one key, a prefix, a range or a value of an index; of windows those that start in a range.",
    )
    .argument('<store>', 'name of the store')
    .argument('[key]', 'rows of this key only; with --by: of this value')
    .option('--dir <path>', 'the directory that the app was run with')
    .option(...urlFlag)
    .option(...tokenFlag)
    .option('--by <index>', 'rows that this secondary index of the store has under a value')
    .option('--prefix <prefix>', 'keys that start with this')
    .option('--from <key or time>', 'from this key; of windows: from this start')
    .option('--to <key or time>', 'to this key, or start; inclusive')
    .option('--at <time>', 'of versioned stores: the row that held then')
    .option('--watch', 'tell rows and then their changes, a JSON line each, until interrupted; needs --url')
    .option('--limit <n>', 'at most so many rows', count(1), 100)
    .addOption(
      new Option('--format <format>', 'how rows are written')
        .choices(['table', 'json', 'csv', 'arrow'])
        .default('table'),
    )
    .option('--json', 'the same as --format json: a line a row')
    .option('--application-id <id>', 'which app, where the directory has several')
    .option('--module <module>', 'the topology, if it is not where it was run from')
    .addHelpText('after', help)
    .action(async (store: string, key: string | undefined, flags: QueryFlags) => {
      const { by, prefix, from, to, at, limit } = flags
      const query: RowRequest = {
        store,
        limit,
        ...(key === undefined ? {} : { key }),
        ...(by === undefined ? {} : { by }),
        ...(prefix === undefined ? {} : { prefix }),
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
        ...(at === undefined ? {} : { at }),
      }
      await answer(flags, query)
    })
}

async function answer(flags: QueryFlags, query: RowRequest): Promise<void> {
  const { dir, url, token, watch, format, json } = flags
  if (dir !== undefined && url !== undefined)
    throw new DhaaraError('DHAARA_OPTION', 'found both --dir and --url; say one place where the app is')
  const served = url === undefined ? undefined : { url, ...(token === undefined ? {} : { token }) }
  if (watch !== undefined) {
    if (served === undefined)
      throw new DhaaraError('DHAARA_OPTION', '--watch follows an app that is served over HTTP; give its --url')
    if ([query.by, query.from, query.to, query.at].some((one) => one !== undefined))
      throw new DhaaraError(
        'DHAARA_OPTION',
        '--watch follows all rows, a key or a --prefix; leave out --by, --from, --to and --at',
      )
    await printChanges(served, query)
  } else if (format === 'arrow' && json === undefined) {
    const parts = served === undefined ? arrowStream(scanOf(await ask(flags, query))) : arrowOverHttp(served, query)
    for await (const part of parts) await print(part)
  } else {
    const rows = served === undefined ? await ask(flags, query) : await rowsOverHttp(served, query)
    await print(rowsText(rows, json === undefined ? (format as TableFormat) : 'json'))
  }
}

async function printChanges(served: Served, query: RowRequest): Promise<void> {
  const ending = new AbortController()
  const end = (): void => ending.abort()
  process.stdout.on('error', end)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end)
  for await (const change of changesOverHttp(served, query, ending.signal)) await print(`${change}\n`)
}

/** Rows that are there already. */
function scanOf(rows: readonly JsonRow[]): Scan<unknown, unknown> {
  const entries = rows.map(({ key, value }) => [JSON.parse(key), JSON.parse(value)] as const)
  return {
    async *[Symbol.asyncIterator]() {
      yield* entries
    },
    toArray: async () => [...entries],
    cursor: undefined,
  }
}

async function ask(flags: QueryFlags, query: RowRequest): Promise<JsonRow[]> {
  if (flags.dir === undefined)
    throw new DhaaraError('DHAARA_OPTION', 'found neither --dir nor --url; say where the app is')
  const dir = existingDirectory(flags.dir)
  return readOwner(dir)?.socket === undefined ? askStopped(dir, flags, query) : askRunning(dir, flags, query)
}

async function askRunning(dir: string, flags: QueryFlags, query: RowRequest): Promise<JsonRow[]> {
  {
    await using client = await connectDirectory(dir)
    if (client.remote) {
      const app = await runningApp(client, rowsRequest, flags.applicationId)
      return (await client.call(rowsRequest(app), query)) as JsonRow[]
    }
  }
  return askStopped(dir, flags, query)
}

async function askStopped(dir: string, flags: QueryFlags, query: RowRequest): Promise<JsonRow[]> {
  await using broker = embeddedBroker({ dir })
  const lease = await openEmbedded(broker)
  try {
    const app = onlyApp(lease.backend, flags.applicationId)
    const row = new AppRows(lease.backend).get(app)
    const path = flags.module ?? row?.module
    if (path === undefined) {
      throw new DhaaraError('DHAARA_OPTION', `'${app}' was not run by this command; give its topology by --module`)
    }
    const { plan } = await loadModule(path, row?.settings ?? {})
    return await jsonRowsByText(storedQueries(plan, app, lease.backend), query)
  } finally {
    await lease.release()
  }
}

/** The app of a directory. @throws DhaaraError DHAARA_OPTION if there is none, or more than one and none is named */
export function onlyApp(reader: BackendReader, named: string | undefined): string {
  const apps = [...appsOf(reader).keys()].filter((app) => app !== ownStores)
  if (named !== undefined ? apps.includes(named) : apps.length === 1) return named ?? (apps[0] as string)
  const has = apps.length === 0 ? 'the directory has no app' : `the directory has the apps ${apps.join(', ')}`
  throw new DhaaraError(
    'DHAARA_OPTION',
    `${has}; ${named === undefined ? 'name one by --application-id' : `there is no '${named}'`}`,
  )
}
