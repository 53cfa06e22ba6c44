import type * as Platformatic from '@platformatic/kafka'
import { apiVersionsKey, type ClientOptions, type KafkaClient, type KafkaConnection } from './client.ts'
import { failure } from './failures.ts'

/** Brings `@platformatic/kafka` 2.x in. Rejects as `import` does where it is not installed. */
export async function platformatic(options: ClientOptions): Promise<KafkaClient> {
  const library = await import('@platformatic/kafka')
  return {
    name: 'platformatic',
    async connect(host, port, timeoutMs) {
      const connection = new library.Connection(options.clientId, {
        connectTimeout: 10_000,
        requestTimeout: timeoutMs,
        maxInflights: 1000,
        ...tlsOf(options, host),
        ...saslOf(options),
      } as Platformatic.ConnectionOptions)
      // Also told by the promise, and by each request.
      connection.on('error', () => {})
      try {
        await connection.connect(host, port)
      } catch (error) {
        throw failure(error, `${host}:${port}`)
      }
      return wrap(library, connection, `${host}:${port}`)
    },
  }
}

function wrap({ Writer }: typeof Platformatic, connection: Platformatic.Connection, address: string): KafkaConnection {
  /** It logs in anew by itself, on the same connection. */
  const loggingIn = (): boolean => connection.status === 'reauthenticating'
  const send: KafkaConnection['send'] = ({ key, version }, body) =>
    new Promise((resolve, reject) => {
      connection.send<Buffer>(
        key,
        version,
        () => Writer.create().append(body),
        // One piece, whatever the socket's chunks were.
        (_id, _key, _version, reader) => reader.buffer.buffer,
        true,
        key !== apiVersionsKey,
        (error, answer) => (error ? reject(failure(error, address)) : resolve(answer as Buffer)),
      )
    })
  return {
    get open() {
      return connection.isConnected() || loggingIn()
    },
    async send(request, body) {
      // between the parts of a login the broker takes nothing else, and hangs up
      if (loggingIn()) {
        try {
          await connection.ready()
        } catch (error) {
          throw failure(error, address)
        }
      }
      return send(request, body)
    },
    close: () => connection.close().catch(() => {}),
  }
}

function tlsOf({ ssl }: ClientOptions, host: string): object {
  if (ssl === undefined || ssl === false) return {}
  return { tls: ssl === true ? {} : ssl, tlsServerName: /^[\d.:]+$/.test(host) ? false : host }
}

function saslOf({ sasl }: ClientOptions): object {
  if (sasl === undefined) return {}
  if (sasl.mechanism === 'oauthbearer') return { sasl: { mechanism: 'OAUTHBEARER', token: sasl.token } }
  return { sasl: { ...sasl, mechanism: sasl.mechanism.toUpperCase() } }
}
