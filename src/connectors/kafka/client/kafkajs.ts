/**
 * kafkajs 2.2 has no way in its public interface to send a request of one's own; its inner modules have, and it has no
 * `exports` that would hide them. Hence the narrow range of versions.
 */
import { createRequire } from 'node:module'
import { DhaaraError } from '../../../errors/index.ts'
import { apiVersionsKey, type ClientOptions, type KafkaClient, type KafkaConnection, loginPart } from './client.ts'
import { failure } from './failures.ts'

/**
 * The library would log in anew on a connection that is in use, ms before the login ends: what others send meanwhile the broker takes
 * for a part of it, and hangs up. A connection is left in time instead.
 */
const never = Number.MIN_SAFE_INTEGER

interface Inner {
  readonly requestQueue: Queue
  isConnected(): boolean
  connect(): Promise<unknown>
  disconnect(): Promise<unknown>
  isAuthenticated(): boolean
  /** Of the login, as `process.hrtime()` tells it. */
  readonly authenticatedAt: [number, number] | null
  /** For how long it is good, ms; 0: for ever. */
  readonly sessionLifetime: { toString(): string }
  setVersions(versions: unknown): void
  setSupportAuthenticationProtocol(supported: boolean): void
  send(protocol: object): Promise<Buffer>
}

interface Queue {
  readonly pending: readonly unknown[]
  readonly throttledUntil: number
  throttleCheckTimeoutId: unknown
  checkPendingRequests(): void
  scheduleCheckPendingRequests(): void
}

interface Modules {
  readonly Connection: new (options: object) => Inner
  readonly Broker: new (options: object) => { connect(): Promise<void> }
  readonly Encoder: new () => { writeBuffer(bytes: Buffer): object }
  readonly logger: object
  readonly socketFactory: unknown
}

/** Brings `kafkajs` 2.2.x in. Rejects as `import` does where it is not installed. */
export async function kafkajs(options: ClientOptions): Promise<KafkaClient> {
  await import('kafkajs')
  const modules = load()
  return {
    name: 'kafkajs',
    async connect(host, port, timeoutMs) {
      const connection = new modules.Connection({
        host,
        port,
        clientId: options.clientId,
        logger: modules.logger,
        socketFactory: modules.socketFactory,
        requestTimeout: timeoutMs,
        connectionTimeout: 10_000,
        reauthenticationThreshold: never,
        ssl: tlsOf(options),
        sasl: saslOf(options),
      })
      calm(connection.requestQueue)
      try {
        await new modules.Broker({ connectionPool: poolOf(connection, options), logger: modules.logger }).connect()
      } catch (error) {
        connection.disconnect().catch(() => {})
        throw failure(error, `${host}:${port}`)
      }
      return wrap(connection, modules, `${host}:${port}`)
    },
  }
}

function load(): Modules {
  const require = createRequire(import.meta.url)
  const { version } = require('kafkajs/package.json') as { version: string }
  if (!version.startsWith('2.2.')) {
    throw new DhaaraError(
      'DHAARA_KAFKA_CLIENT',
      `kafkajs ${version} is installed; its inner modules are used, and known are those of 2.2: npm install kafkajs@2.2.4`,
    )
  }
  const { createLogger, LEVELS } = require('kafkajs/src/loggers')
  return {
    Connection: require('kafkajs/src/network/connection'),
    Broker: require('kafkajs/src/broker'),
    Encoder: require('kafkajs/src/protocol/encoder'),
    logger: createLogger({ level: LEVELS.NOTHING, logCreator: () => () => {} }),
    socketFactory: require('kafkajs/src/network/socketFactory')(),
  }
}

/** What `Broker` needs of a pool of connections, with one in it. */
const poolOf = (connection: Inner, { sasl }: ClientOptions): object => ({
  sasl,
  connectionTimeout: 10_000,
  isConnected: () => connection.isConnected(),
  isAuthenticated: () => connection.isAuthenticated(),
  async getConnection() {
    if (!connection.isConnected()) await connection.connect()
    return connection
  },
  send: (protocol: object) => connection.send(protocol),
  setVersions: (versions: unknown) => connection.setVersions(versions),
  setSupportAuthenticationProtocol: (supported: boolean) => connection.setSupportAuthenticationProtocol(supported),
  destroy: () => connection.disconnect(),
})

/** The library's own timer of requests that wait goes off each millisecond, for ever, also where nothing waits. */
function calm(queue: Queue): void {
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length === 0 || (queue.throttleCheckTimeoutId ?? null) !== null) return
    const wait = Math.max(1, queue.throttledUntil - Date.now())
    queue.throttleCheckTimeoutId = setTimeout(() => {
      queue.throttleCheckTimeoutId = null
      queue.checkPendingRequests()
    }, wait)
  }
}

function wrap(connection: Inner, { Encoder }: Modules, address: string): KafkaConnection {
  let waiting = 0
  /** What is under way is waited for. */
  const leave = (): void => {
    if (waiting === 0 && connection.isConnected() && loginEnds(connection)) connection.disconnect().catch(() => {})
  }
  return {
    get open() {
      leave()
      return connection.isConnected() && !loginEnds(connection)
    },
    async send({ key, version, name }, body) {
      // Its headers are of the older kind; the tagged fields of the newer go in front of the body, and of the answer.
      const payload = Buffer.allocUnsafe(body.length + 1)
      payload[0] = 0
      body.copy(payload, 1)
      waiting++
      try {
        const answer = await connection.send({
          request: {
            apiKey: key,
            apiVersion: version,
            apiName: name,
            encode: async () => new Encoder().writeBuffer(payload),
          },
          response: { decode: async (bytes: Buffer) => bytes, parse: async (bytes: Buffer) => bytes },
          logResponseError: false,
        })
        return key === apiVersionsKey ? answer : answer.subarray(1)
      } catch (error) {
        throw failure(error, address)
      } finally {
        waiting--
        leave()
      }
    },
    close: () =>
      connection.disconnect().then(
        () => {},
        () => {},
      ),
  }
}

/** Its login is good for little longer, or not any more. */
function loginEnds({ authenticatedAt, sessionLifetime }: Inner): boolean {
  const lifetime = Number(sessionLifetime.toString())
  if (lifetime === 0 || authenticatedAt === null) return false
  const [seconds, nanoseconds] = process.hrtime(authenticatedAt)
  return seconds * 1e3 + nanoseconds / 1e6 >= lifetime * loginPart
}

function tlsOf({ ssl }: ClientOptions): object | null {
  if (ssl === undefined || ssl === false) return null
  return ssl === true ? {} : ssl
}

function saslOf({ sasl }: ClientOptions): object | null {
  if (sasl === undefined) return null
  // the library writes into it
  if (sasl.mechanism !== 'oauthbearer') return { ...sasl }
  return { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: await sasl.token() }) }
}
