/**
 * What a server can that has nothing behind it but a map: fastify with one route that checks its query, in a process of its own.
 * Tells its URL, and, to each message, the processor time that it has taken so far.
 */
import { fastify } from 'fastify'
import { nameOf } from './names.ts'
import { forQuestions, giveOut } from './pinned.ts'

export interface BareNews {
  readonly url: string
  readonly cpuSeconds: number
}

const keys = Number(process.argv[2])
if (process.argv[3] === 'pinned') await giveOut(forQuestions)
const rows = new Map(Array.from({ length: keys }, (_, i) => [nameOf(i), { count: 1, sum: 7, last: nameOf(i) }]))
const server = fastify()
const properties = { key: { type: 'string' } }
const schema = { querystring: { type: 'object', properties } }
server.get('/api/stores/:store/row', { schema }, (request, reply) => {
  const key = JSON.parse((request.query as { key: string }).key) as string
  void reply.header('content-type', 'application/json; charset=utf-8')
  return Promise.resolve(`{"key":${JSON.stringify(key)},"value":${JSON.stringify(rows.get(key))}}`)
})
const url = await server.listen({ port: 0, host: '127.0.0.1' })
const tell = (): void => {
  const { user, system } = process.cpuUsage()
  process.send?.({ url, cpuSeconds: (user + system) / 1e6 } satisfies BareNews)
}
process.on('message', tell)
process.on('disconnect', () => process.exit())
tell()
