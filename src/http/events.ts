import { Readable } from 'node:stream'
import { type Change, type Observed, toJson } from '../engine/query/index.ts'
import { HttpProblem } from './problem.ts'
import type { Asked } from './route.ts'

/** Subscriptions at a time. */
const mostStreams = 500
/** A comment goes out so often, so that nobody between takes the silence for the end. */
const heartbeat = 15_000

/** Changes as server-sent events. */
export class EventStreams {
  #open = 0

  /** @throws HttpProblem 429; what is wrong with the subscription, before anything is sent */
  async send(asked: Asked, changes: Observed<Change<unknown, unknown>>, stop: AbortController): Promise<unknown> {
    if (this.#open >= mostStreams)
      throw new HttpProblem(429, `There are ${mostStreams} subscriptions already; ask again when others have ended`)
    const { reply, request } = asked
    const source = changes[Symbol.asyncIterator]()
    this.#open++
    reply.raw.once('close', () => {
      this.#open--
      stop.abort()
    })
    const first = source.next()
    // what is wrong shows at once; a store without rows says nothing
    await Promise.race([first, Promise.resolve()])
    // no limit to being idle: silence is what a subscription is for
    request.raw.socket.setTimeout(0)
    const body = Readable.from(texts(source, first), { objectMode: false, highWaterMark: 1 << 16 })
    return reply.type('text/event-stream').send(body)
  }
}

async function* texts(
  source: AsyncIterator<Change<unknown, unknown>>,
  first: Promise<IteratorResult<Change<unknown, unknown>>>,
): AsyncGenerator<string, void> {
  let next = first
  try {
    yield ': changes\n\n'
    for (;;) {
      const { promise: silent, resolve } = Promise.withResolvers<undefined>()
      const timer = setTimeout(() => resolve(undefined), heartbeat)
      const result = await Promise.race([next, silent])
      clearTimeout(timer)
      if (result === undefined) yield ':\n\n'
      else if (result.done) return
      else {
        const { key, value, timestamp } = result.value
        next = source.next()
        yield `data: {"key":${toJson(key)},"value":${toJson(value)},"timestamp":${timestamp}}\n\n`
      }
    }
  } finally {
    next.catch(() => {})
  }
}
