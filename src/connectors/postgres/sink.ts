/**
 * Rows of a PostgreSQL table. Each batch is one transaction: its rows, and which batch it was, in a table of ours
 *
 *     dhaara_epochs (application, sink, task, incarnation, epoch, batch)
 *
 * so that a batch that comes again is known, and left out.
 */
import type { Client, ClientConfig } from 'pg'
import type { Sink, SinkBatch, SinkConnector, SinkTask } from '../../dsl/connect/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import {
  type ConnectorInfo,
  count,
  declare,
  flag,
  fn,
  loadPeer,
  oneOf,
  type OptionsOf,
  some,
  text,
  texts,
} from '../options/index.ts'
import { type Changes, changesOf, json, type Row } from './rows.ts'

const options = declare({
  connection: some<string | ClientConfig>(
    "a URL ('postgres://…'), or pg's client options",
    'Where the server is. Default: as PGHOST, PGUSER and so on say.',
    (v) => typeof v === 'string' || (typeof v === 'object' && v !== null),
  ),
  table: text('The table, with its schema if that is not in the search path. It must exist.').required(),
  key: texts(
    'Columns that tell rows apart, with a unique index on them. A row of the same key is replaced, a null value deletes it.',
    [],
  ),
  onConflict: oneOf(
    'What to do with a row whose key is there: replace it, or keep what is there.',
    ['update', 'nothing'],
    'update',
  ),
  columns: texts('Columns that are written. Default: all of the table but generated ones.'),
  row: fn<(value: any, key: any, timestamp: number) => Row>(
    '(value, key, timestamp) => row',
    'Makes a row of a record. Default: the value is the row.',
  ),
  epochsTable: text('Where it is noted which batches the database has; made if it is not there.', 'dhaara_epochs'),
  batchRecords: count('Most records of a transaction.', 1000),
  createEpochsTable: flag('Make `epochsTable` if it is not there.', true),
})

export type PostgresSinkOptions<K = any, V = any> = Omit<OptionsOf<typeof options>, 'row'> & {
  readonly row?: (value: NonNullable<V>, key: K, timestamp: number) => Row
}

/**
 * Writes records as rows of a PostgreSQL table, exactly once.
 *
 * @example
 * totals.toStream().sink(postgresSink({ connection: 'postgres://localhost/shop', table: 'totals', key: 'customer',
 *   row: (total, customer) => ({ customer, total }) }), { name: 'totals-db' })
 * @throws DhaaraError DHAARA_OPTION
 */
export function postgresSink<K = any, V = any>(given: PostgresSinkOptions<K, V>): SinkConnector<K, V> {
  const used = options.read('postgresSink', given as OptionsOf<typeof options>)
  return {
    connector: 'postgres',
    batchRecords: used.batchRecords,
    create: () => new PostgresSink(used),
  }
}

type Used = ReturnType<typeof options.read>

class PostgresSink implements Sink<any, any> {
  private readonly options: Used
  private client: Client | undefined
  private upsert = ''
  private remove = ''

  constructor(used: Used) {
    this.options = used
  }

  async open(task: SinkTask): Promise<void> {
    const client = await this.connect(task)
    const { createEpochsTable, epochsTable } = this.options
    if (createEpochsTable) await createEpochs(client, name(epochsTable))
    await this.prepare(client)
    const epochs = name(epochsTable)
    const id = [task.applicationId, task.name, task.partition]
    // the epochs of a job that began anew mean other records
    await client.query(
      `INSERT INTO ${epochs} (application, sink, task, incarnation, epoch, batch) VALUES ($1, $2, $3, $4, 0, 0)
       ON CONFLICT (application, sink, task) DO UPDATE SET incarnation = excluded.incarnation, epoch = 0, batch = 0
       WHERE ${epochs}.incarnation <> excluded.incarnation`,
      [...id, task.incarnation],
    )
  }

  async write(batch: SinkBatch<any, any>, epoch: number, task: SinkTask): Promise<void> {
    const client = this.client ?? (await this.connect(task))
    const { epochsTable, key, row } = this.options
    const changes = changesOf(batch, { key, row }, 'postgresSink')
    const id = [task.applicationId, task.name, task.partition, task.incarnation]
    try {
      await client.query('BEGIN')
      const { rows } = await client.query(
        `SELECT epoch::float8 AS epoch, batch FROM ${name(epochsTable)}
         WHERE application = $1 AND sink = $2 AND task = $3 AND incarnation = $4 FOR UPDATE`,
        id,
      )
      const [at] = rows as readonly { readonly epoch: number; readonly batch: number }[]
      if (at === undefined) throw taken(task, epochsTable)
      if (at.epoch < epoch || (at.epoch === epoch && at.batch < batch.index)) {
        await this.apply(client, changes)
        await client.query(
          `UPDATE ${name(epochsTable)} SET epoch = $5, batch = $6, at = now()
           WHERE application = $1 AND sink = $2 AND task = $3 AND incarnation = $4`,
          [...id, epoch, batch.index],
        )
      }
      await client.query('COMMIT')
    } catch (error) {
      await this.leave(error)
      throw refused(error, this.options.table)
    }
  }

  async close(): Promise<void> {
    const { client } = this
    this.client = undefined
    await client?.end().catch(() => {})
  }

  private async connect(task: SinkTask): Promise<Client> {
    const { default: pg } = await loadPeer('pg', 'postgresSink', () => import('pg'))
    const { connection } = this.options
    const given = typeof connection === 'string' ? { connectionString: connection } : connection
    const client = new pg.Client({ application_name: `dhaara ${task.applicationId} ${task.id}`, ...given })
    // a connection that breaks while nothing is asked of it must not end the process
    client.on('error', (error) => {
      task.warn('the connection to PostgreSQL has broken', { error: error.message })
      if (this.client === client) this.client = undefined
    })
    await client.connect()
    await this.client?.end().catch(() => {})
    this.client = client
    return client
  }

  /** The statements, from the columns that the table has. */
  private async prepare(client: Client): Promise<void> {
    const { table, key, columns, onConflict } = this.options
    const { rows } = await client
      .query(
        `SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
         WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity <> 'a'
         ORDER BY attnum`,
        [name(table)],
      )
      .catch((error: unknown) => {
        throw refused(error, table)
      })
    const there = (rows as { name: string; type: string }[]).map((row) => row.name)
    const written = columns ?? there
    const unknown = [...written, ...key].filter((column) => !there.includes(column))
    if (unknown.length > 0) {
      const message = `postgresSink: ${table} has no column ${unknown.join(', ')}; it has ${there.join(', ')}`
      throw new DhaaraError('DHAARA_OPTION', message)
    }
    const list = written.map(quoted).join(', ')
    const source = `json_populate_recordset(NULL::${name(table)}, $1::json)`
    const others = written.filter((column) => !key.includes(column))
    const update =
      onConflict === 'nothing' || others.length === 0
        ? 'NOTHING'
        : `UPDATE SET ${others.map((column) => `${quoted(column)} = excluded.${quoted(column)}`).join(', ')}`
    const conflict = key.length === 0 ? '' : ` ON CONFLICT (${key.map(quoted).join(', ')}) DO ${update}`
    this.upsert = `INSERT INTO ${name(table)} (${list}) SELECT ${list} FROM ${source}${conflict}`
    const same = key.map((column) => `t.${quoted(column)} = gone.${quoted(column)}`).join(' AND ')
    this.remove = `DELETE FROM ${name(table)} t USING ${source} gone WHERE ${same}`
  }

  private async apply(client: Client, { upserts, deletes }: Changes): Promise<void> {
    if (deletes.length > 0) await client.query(this.remove, [json(deletes)])
    if (upserts.length > 0) await client.query(this.upsert, [json(upserts)])
  }

  /** After an error: what was begun is taken back; a broken connection is not used again. */
  private async leave(error: unknown): Promise<void> {
    const { client } = this
    const known =
      typeof (error as { code?: unknown }).code === 'string' && /^[0-9A-Z]{5}$/.test((error as { code: string }).code)
    if (known || error instanceof DhaaraError) {
      try {
        await client?.query('ROLLBACK')
        return
      } catch {}
    }
    this.client = undefined
    await client?.end().catch(() => {})
  }
}

async function createEpochs(client: Client, table: string): Promise<void> {
  try {
    await client.query('BEGIN')
    // two who make one table at one time get in each other's way, IF NOT EXISTS or not
    await client.query("SELECT pg_advisory_xact_lock(hashtext('dhaara_epochs'))")
    await client.query(
      `CREATE TABLE IF NOT EXISTS ${table} (
         application text NOT NULL, sink text NOT NULL, task integer NOT NULL,
         incarnation text NOT NULL, epoch bigint NOT NULL, batch integer NOT NULL,
         at timestamptz NOT NULL DEFAULT now(),
         PRIMARY KEY (application, sink, task))`,
    )
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    throw error
  }
}

const quoted = (identifier: string): string => `"${identifier.replaceAll('"', '""')}"`
/** `schema.table`, each part quoted. */
const name = (table: string): string => table.split('.').map(quoted).join('.')

const taken = (task: SinkTask, table: string): DhaaraError =>
  new DhaaraError(
    'DHAARA_SINK_STATE',
    `postgresSink: ${table} has no row of ${task.applicationId}, ${task.id} and this job's state: another job with the same application id writes, or the row was removed. Stop the other job, or give one of them another id`,
  )

/** What no second attempt helps: data and definitions that do not fit (SQLSTATE classes 22, 23, 42). */
function refused(error: unknown, table: string): unknown {
  const { code, message, detail } = error as { code?: unknown; message: string; detail?: string }
  if (error instanceof DhaaraError || typeof code !== 'string' || !/^(22|23|42)/.test(code)) return error
  const more = detail === undefined ? '' : ` (${detail})`
  return new DhaaraError(
    'DHAARA_SINK_RECORD',
    `postgresSink: ${table} refuses what it is given: ${message}${more} [${code}]`,
    { cause: error },
  )
}

export const postgresInfo: readonly ConnectorInfo[] = [
  {
    name: 'postgresSink',
    role: 'sink',
    about: 'Rows of a PostgreSQL table: upserts, and deletions where values are null.',
    guarantee: 'Exactly once: rows and the number of their batch go in one transaction.',
    peer: 'pg',
    options,
  },
]
