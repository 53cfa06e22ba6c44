import { setTimeout as sleep } from 'node:timers/promises'
import type { SinkBatch, SinkConnector, SinkTask } from '../../dsl/connect/index.ts'
import { type Serializer, serdes } from '../../dsl/serdes/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import { type ConnectorInfo, count, declare, object, oneOf, type OptionsOf, period, text } from '../options/index.ts'

const options = declare({
  url: text('Where to send to.').required(),
  method: oneOf('HTTP method.', ['POST', 'PUT', 'PATCH'], 'POST'),
  headers: object<Readonly<Record<string, string>>>('{name: text}', 'Headers of each request.'),
  token: text('Bearer token that is sent.'),
  format: oneOf(
    'A body: an array of values, or values in lines (`application/x-ndjson`).',
    ['array', 'lines'],
    'array',
  ),
  batchRecords: count('Most records of a request.', 500),
  timeout: period('How long to wait for an answer.', '30s'),
})

export type WebhookSinkOptions = OptionsOf<typeof options>

/** Answers that may be another one the next time. */
const retried = new Set([408, 409, 423, 425, 429])

/**
 * Sends values by HTTP, a batch a request. Each request has an `Idempotency-Key` that is the same whenever it is sent again:
 * exactly once where the receiver keeps them, else at least once. An answer of 2xx takes the batch; 408, 409, 423, 425, 429 and
 * 5xx are tried again (after `Retry-After`, if that is said), others stop the job.
 *
 * @example alerts.sink(webhookSink({ url: 'https://example.org/alerts' }), { name: 'alerts-out' })
 * @throws DhaaraError DHAARA_OPTION
 */
export function webhookSink<K = any, V = any>(given: WebhookSinkOptions): SinkConnector<K, V> {
  const used = options.read('webhookSink', given)
  if (!URL.canParse(used.url) || !/^https?:/.test(used.url))
    throw new DhaaraError(
      'DHAARA_OPTION',
      `webhookSink: url: found ${used.url}; expected an address that begins with http: or https:`,
    )
  return {
    connector: 'webhook',
    batchRecords: used.batchRecords,
    value: json,
    create: () => ({ write: (batch, epoch, task) => send(used, batch as never, epoch, task) }),
  }
}

const json: Serializer<unknown> = serdes.json()

async function send(
  used: ReturnType<typeof options.read>,
  batch: SinkBatch<unknown, Uint8Array | null>,
  epoch: number,
  task: SinkTask,
): Promise<void> {
  const { url, method, headers, token, format, timeout } = used
  const { applicationId, id, incarnation, signal } = task
  const response = await fetch(url, {
    method,
    headers: {
      'content-type': format === 'array' ? 'application/json' : 'application/x-ndjson',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
      'idempotency-key': `${applicationId}/${id}/${incarnation}/${epoch}.${batch.index}`,
    },
    body: bodyOf(batch, format),
    redirect: 'manual',
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
  })
  if (response.ok) {
    await response.body?.cancel()
    return
  }
  const said = (await response.text().catch(() => '')).slice(0, 200)
  const message = `${method} ${url} was answered ${response.status} ${response.statusText}: ${said}`
  if (response.status < 500 && !retried.has(response.status))
    throw new DhaaraError('DHAARA_SINK_RECORD', `webhookSink: ${message}`)
  const after = Number(response.headers.get('retry-after'))
  if (after > 0) await sleep(Math.min(after, 60) * 1000, undefined, { signal })
  throw new Error(message)
}

function bodyOf({ values }: SinkBatch<unknown, Uint8Array | null>, format: 'array' | 'lines'): Buffer {
  const parts: Uint8Array[] = []
  for (const value of values) {
    if (parts.length > 0) parts.push(format === 'array' ? comma : lineBreak)
    parts.push(value ?? nothing)
  }
  return Buffer.concat(format === 'array' ? [open, ...parts, end] : [...parts, lineBreak])
}

const open = Buffer.from('[')
const end = Buffer.from(']')
const comma = Buffer.from(',')
const lineBreak = Buffer.from('\n')
const nothing = Buffer.from('null')

export const webhookSinkInfo: ConnectorInfo = {
  name: 'webhookSink',
  role: 'sink',
  about: 'Sends values by HTTP, a batch a request.',
  guarantee: 'Exactly once where the receiver keeps idempotency keys, else at least once.',
  options,
}
