import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { PortLog, threadEnv } from '../broker/apart/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import { receiveError, sendError } from '../../errors/sent-error.ts'
import type { KafkaBrokerOptions } from './options.ts'
import type { Opening, ThreadStart } from './client-thread.ts'

// one file extension here and there: sources run as they are, the package is compiled
const script = new URL(import.meta.url.endsWith('.ts') ? './client-thread.ts' : './client-thread.js', import.meta.url)

/** Starts a thread with a client of its own. @throws as the first use of a broker */
export async function openApart(options: KafkaBrokerOptions): Promise<PortLog> {
  const { port1: port, port2 } = new MessageChannel()
  const { sasl } = options
  const tokens = sasl?.mechanism === 'oauthbearer' ? new MessageChannel() : undefined
  if (sasl?.mechanism === 'oauthbearer' && tokens !== undefined) giveTokens(tokens.port1, sasl.token)
  const { sasl: _, ...rest } = options
  const workerData: ThreadStart = {
    options: tokens === undefined ? options : rest,
    port: port2,
    tokens: tokens?.port2,
  }
  const transferList = tokens === undefined ? [port2] : [port2, tokens.port2]
  const thread = new Worker(script, { workerData, transferList, env: threadEnv(), name: 'dhaara-kafka' })
  // its listener comes with it: until then, what is posted waits
  const opening = Promise.withResolvers<void>()
  port.once('message', (message: Opening) => {
    if (message.type === 'open') opening.resolve()
    else opening.reject(receiveError(message.error))
  })
  const gone = Promise.withResolvers<Error>()
  let cause: unknown
  thread.on('error', (error) => {
    cause = error
  })
  thread.once('exit', (code) => {
    tokens?.port1.close()
    const why = cause instanceof Error ? `: ${cause.message}` : ''
    const what = `the thread of the Kafka client has ended (${code})${why}`
    const error = new DhaaraError('DHAARA_INTERNAL', what, { cause })
    opening.reject(error)
    gone.resolve(error)
  })
  try {
    await opening.promise
  } catch (error) {
    port.close()
    throw error
  }
  const log = new PortLog(port)
  void gone.promise.then((error) => log.fail(error))
  return log
}

function giveTokens(port: MessagePort, token: () => Promise<string>): void {
  port.on('message', () => {
    token().then(
      (value) => port.postMessage({ token: value }),
      (error) => port.postMessage({ error: sendError(error) }),
    )
  })
}
