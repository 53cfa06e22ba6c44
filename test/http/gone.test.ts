import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { fastify } from 'fastify'
import { type Change, observed } from '../../src/engine/query/index.ts'
import { EventStreams } from '../../src/http/events.ts'
import { StreamsApp, embeddedBroker, serdes, StreamsBuilder } from '../../src/index.ts'

/** Asks, and goes before the answer. */
async function leave(url: string, path: string): Promise<void> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`)
  await once(socket, 'connect')
  await setImmediate()
  socket.destroy()
}

describe('askers who go before they are answered', () => {
  it('are no failures in the log', async () => {
    const failures: unknown[] = []
    const quiet = () => {}
    const logger = { error: (...line: unknown[]) => failures.push(line), warn: quiet, info: quiet, debug: quiet }
    const builder = new StreamsBuilder()
    const topic = { key: serdes.string(), value: serdes.string(), nullKeys: 'drop' } as const
    builder.stream('texts', topic).toTable({ store: 'texts' })
    await using broker = embeddedBroker({})
    await using app = new StreamsApp({
      applicationId: 'gone',
      topology: builder.build(),
      broker,
      logger,
      http: { port: 0 },
    })
    await app.start()
    const position = encodeURIComponent('{"texts":{"0":9}}')
    await leave(app.httpUrl as string, `/api/stores/texts/count?minPosition=${position}`)
    const asked = async () => (await (await fetch(`${app.httpUrl}/metrics`)).text(), failures)
    for (let i = 0; i < 20; i++) assert.deepEqual(await asked(), [])
  }).timeout(20_000)

  it('leave no subscription behind', async () => {
    const server = fastify({ forceCloseConnections: true })
    const events = new EventStreams()
    const ended = Promise.withResolvers<void>()
    server.get('/', async (request, reply) => {
      await once(reply.raw, 'close')
      const stop = new AbortController()
      stop.signal.addEventListener('abort', () => ended.resolve())
      const changes = observed<Change<unknown, unknown>>(async function* () {
        await once(stop.signal, 'abort')
        yield { key: 'a', value: 1, timestamp: 0 as never }
      })
      return events.send({ request, reply, params: {}, query: {}, body: undefined }, changes, stop)
    })
    const url = await server.listen({ port: 0, host: '127.0.0.1' })
    await leave(url, '/')
    await ended.promise
    await server.close()
  }).timeout(5000)
})
