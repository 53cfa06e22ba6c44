import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { SourceTask, ValueSource } from '../../dsl/connect/index.ts'
import { type Serde, serdes, type StandardSchema } from '../../dsl/serdes/index.ts'
import { type ConnectorInfo, count, declare, fn, object, type OptionsOf, text, texts } from '../options/index.ts'
import { answer, bodyOf, checkRequest, Refusal, valuesIn } from './door.ts'
import { Journal, type JournalPosition } from './journal.ts'

const options = declare({
  dir: text('Folder of the journal: what was acknowledged lies there until the job has it in a checkpoint.').required(),
  port: count('Port to listen on; 0: any that is free.', 8080, 0),
  host: text('Address to listen on.', '127.0.0.1'),
  path: text('Path that takes records.', '/'),
  token: text('Bearer token that senders must give.'),
  maxBodyBytes: count('Most bytes of a request.', 1 << 20),
  maxPendingBytes: count(
    'Bytes that may wait for the job; what comes then is answered 503, to be sent again.',
    64 << 20,
  ),
  headers: texts('Headers of a request that records get.', ['idempotency-key']),
  schema: object<StandardSchema<any>>(
    'a Standard Schema (zod, valibot, arktype …)',
    'What a value must be; what it refuses meets `onInvalid`.',
  ),
  onListening: fn<(address: { readonly host: string; readonly port: number }) => void>(
    '({host, port}) => void',
    'Called when it listens.',
  ),
})

export type WebhookSourceOptions<T> = Omit<OptionsOf<typeof options>, 'schema'> & {
  readonly schema?: StandardSchema<T>
}

/** One port may be opened anew before it was let go of. */
const closing = new Map<string, Promise<void>>()

/**
 * Takes records by HTTP: `POST` with a JSON value, an array of values, or lines of JSON (`application/x-ndjson`). The answer is
 * 202 when they are on the disk, not before; a record's timestamp is the time when it came. Who sends again after an answer was
 * lost sends twice: the header `idempotency-key` comes with the record, for `deduplicate`.
 *
 * @example builder.source('payments', webhookSource<Payment>({ dir: './payments', port: 8080, path: '/payments' }))
 * @throws DhaaraError DHAARA_OPTION
 */
export function webhookSource<T = unknown>(given: WebhookSourceOptions<T>): ValueSource<T, JournalPosition> {
  const used = options.read('webhookSource', given as OptionsOf<typeof options>)
  const { dir, schema } = used
  let journal: Journal | undefined
  let committed: JournalPosition | undefined
  return {
    connector: 'webhook',
    value: (schema === undefined ? serdes.json<T>() : serdes.json<T>(schema)) as Serde<T>,
    async *read(position, signal, task) {
      const address = `${used.host}:${used.port}`
      await closing.get(address)
      const own = await Journal.open(dir)
      journal = own
      committed = position
      let server: Server | undefined
      try {
        server = await listen(used, own, () => own.behind(committed), task)
        const { ending } = task
        ending.addEventListener('abort', () => server?.close(), { once: true })
        for await (const { entries, position: behind, caughtUp } of own.read(position, signal, task.ending))
          yield { records: entries.map(recordOf), position: behind, caughtUp }
      } finally {
        const closed = close(server).then(() => own.close())
        closing.set(address, closed)
        await closed
      }
    },
    async commit(position) {
      committed = position
      await journal?.forget(position)
    },
  }
}

async function listen(
  used: ReturnType<typeof options.read>,
  journal: Journal,
  pending: () => number,
  task: SourceTask,
): Promise<Server> {
  const server = createServer((request, response) => {
    take(request, response, used, journal, pending).catch((error: unknown) => {
      if (error instanceof Refusal)
        answer(response, error.status, { status: error.status, title: error.message }, error.headers)
      else {
        task.warn('a request was not taken', { error: String(error) })
        answer(response, 500, { status: 500, title: 'the record could not be kept; send it again' })
      }
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(used.port, used.host, resolve)
  })
  const { port } = server.address() as AddressInfo
  used.onListening?.({ host: used.host, port })
  return server
}

async function take(
  request: IncomingMessage,
  response: ServerResponse,
  used: ReturnType<typeof options.read>,
  journal: Journal,
  pending: () => number,
): Promise<void> {
  checkRequest(request, used)
  if (pending() > used.maxPendingBytes)
    throw new Refusal(503, 'the job is behind; send it again later', { 'retry-after': '1' })
  const values = valuesIn(await bodyOf(request, used), request.headers['content-type'])
  const headers: Record<string, string> = {}
  for (const name of used.headers) {
    const value = request.headers[name.toLowerCase()]
    if (typeof value === 'string') headers[name] = value
  }
  const meta = { timestamp: Date.now(), headers }
  if (values.length > 0) await journal.append(values.map((value) => entryOf(meta, value)))
  answer(response, 202, { accepted: values.length })
}

interface Meta {
  readonly timestamp: number
  readonly headers: Readonly<Record<string, string>>
}

function entryOf(meta: Meta, value: string): Buffer {
  const head = Buffer.from(JSON.stringify(meta))
  const length = Buffer.allocUnsafe(4)
  length.writeUInt32LE(head.length)
  return Buffer.concat([length, head, Buffer.from(value)])
}

function recordOf(entry: Buffer): Meta & { readonly value: Uint8Array } {
  const end = 4 + entry.readUInt32LE(0)
  const meta = JSON.parse(entry.toString('utf8', 4, end)) as Meta
  return { ...meta, value: entry.subarray(end) }
}

async function close(server: Server | undefined): Promise<void> {
  if (server === undefined) return
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  // what is being answered has a moment to be answered in
  const late = setTimeout(() => server.closeAllConnections(), 1000)
  await closed
  clearTimeout(late)
}

export const webhookSourceInfo: ConnectorInfo = {
  name: 'webhookSource',
  role: 'server',
  about: 'An HTTP endpoint that takes records.',
  guarantee:
    'Exactly once from the answer 202 on: what was acknowledged is on the disk. Senders that repeat a request send it twice.',
  options,
}
