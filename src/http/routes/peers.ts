import { Readable } from 'node:stream'
import { frameKind, frameOf } from '../../engine/query/index.ts'
import { problemOf } from '../problem.ts'
import { integer, list, number, object, oneOf, type Route, text } from '../route.ts'
import { mostRows } from '../rows.ts'
import type { Served } from '../served.ts'

const body = object(
  {
    app: text,
    instance: text,
    topology: text,
    generation: integer,
    store: text,
    partitions: { ...list({ type: 'integer', minimum: 0, maximum: 65_535 }), maxItems: 65_536 },
    isolation: oneOf('committed', 'latest'),
    settled: { type: 'boolean' },
    type: oneOf('get', 'scan', 'windows', 'watch', 'estimate'),
    keys: { ...list(text), maxItems: Math.max(mostRows, 65_536) },
    gte: text,
    lt: text,
    from: number,
    to: number,
    reverse: { type: 'boolean' },
    now: { type: 'boolean' },
  },
  ['app', 'instance', 'topology', 'generation', 'store', 'partitions', 'isolation', 'settled', 'type'],
)

/** What instances of an app ask one another: an instance answers for what it has, and passes nothing on. */
export function peerRoutes({ answerPeer }: Served): Route[] {
  if (answerPeer === undefined) return []
  return [
    {
      method: 'POST',
      url: '/api/peers/rows',
      id: 'askPeer',
      tag: 'peers',
      summary: 'Rows of partitions that this instance has, as instances of the app ask one another for them; in frames',
      body,
      gives: { 'application/octet-stream': text },
      refuses: [404, 503],
      answer: async ({ body: question, reply }) => {
        const frames = answerPeer(question)
        // what is refused is told before anything is sent
        const first = await frames.next()
        const all = async function* (): AsyncGenerator<Uint8Array, void> {
          if (first.done) return
          yield first.value
          try {
            for (let next = await frames.next(); !next.done; next = await frames.next()) yield next.value
          } catch (error) {
            yield frameOf(frameKind.error, Buffer.from(JSON.stringify(problemOf(error))))
          } finally {
            await frames.return?.()
          }
        }
        return reply
          .type('application/octet-stream')
          .send(Readable.from(all(), { objectMode: false, highWaterMark: 1 << 16 }))
      },
    },
  ]
}
