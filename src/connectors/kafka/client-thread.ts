/**
 * The thread in which the client of an app lives: connections, heartbeats, fetching, sending. It goes on when a function of a
 * user keeps the app's thread busy for minutes.
 */
import { writeSync } from 'node:fs'
import { type MessagePort, workerData } from 'node:worker_threads'
import { LogServer } from '../broker/apart/index.ts'
import { receiveError, type SentError, sendError } from '../../errors/sent-error.ts'
import type { KafkaBrokerOptions } from './options.ts'
import { openCluster } from './open.ts'
import { KafkaLog } from './log.ts'

export interface ThreadStart {
  readonly options: KafkaBrokerOptions
  readonly port: MessagePort
  /** Answers with tokens; absent where none are needed. */
  readonly tokens: MessagePort | undefined
}

export type Opening = { readonly type: 'open' } | { readonly type: 'failed'; readonly error: SentError }

const { options, port, tokens } = workerData as ThreadStart
// what the client library keeps open must not hold the thread
port.once('close', () => process.exit(0))

/** Only the app's thread can call the function that the user gave. */
function askToken(from: MessagePort): Promise<string> {
  return new Promise((resolve, reject) => {
    from.once('message', (answer: { readonly token: string } | { readonly error: SentError }) => {
      if ('token' in answer) resolve(answer.token)
      else reject(receiveError(answer.error))
    })
    from.postMessage('token')
  })
}

try {
  const own: KafkaBrokerOptions =
    tokens === undefined ? options : { ...options, sasl: { mechanism: 'oauthbearer', token: () => askToken(tokens) } }
  const cluster = await openCluster(own)
  const log = new KafkaLog(cluster, own, () => cluster.close())
  const stuck = (ms: number): void => {
    // the app's own logger is in the thread that is stuck
    const seconds = Math.round(ms / 1000)
    writeSync(
      2,
      `dhaara: DHAARA_STEP_STUCK: a function has kept the app's thread busy for ${seconds} s; its tasks go to other instances\n`,
    )
  }
  new LogServer(log, port, stuck)
  port.postMessage({ type: 'open' } satisfies Opening)
} catch (error) {
  port.postMessage({ type: 'failed', error: sendError(error) } satisfies Opening)
  // the other side closes it when it has heard that
  port.on('message', () => {})
}
