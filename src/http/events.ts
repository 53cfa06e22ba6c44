import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { type Change, type Observed, toJson } from '../engine/query/index.ts'
import type { Sampler } from './live/sampler.ts'
import { DhaaraError } from '../errors/index.ts'
import { HttpProblem, problemOf } from './problem.ts'
import type { Asked } from './route.ts'

/** Subscriptions at a time. */
const mostStreams = 500
/** A comment goes out so often, so that nobody between takes the silence for the end. */
const heartbeat = 15_000

/** Server-sent events. */
export class EventStreams {
  #open = 0

  /**
   * A store's changes.
   * @throws HttpProblem 429; what is wrong with the subscription, before anything is sent
   */
  send(asked: Asked, changes: Observed<Change<unknown, unknown>>, stop: AbortController): Promise<unknown> {
    const iterator = changes[Symbol.asyncIterator]()
    const next = async (): Promise<IteratorResult<string>> => {
      const result = await iterator.next()
      if (result.done) return { done: true, value: undefined }
      const { key, value, timestamp } = result.value
      return { value: `data: {"key":${toJson(key)},"value":${toJson(value)},"timestamp":${timestamp}}\n\n` }
    }
    return this.#stream(asked, { next }, () => stop.abort())
  }

  /**
   * The last minutes, then how the app is each second. Who reads slowly misses seconds, and sees the last.
   * @throws HttpProblem 429
   */
  sendLive(asked: Asked, sampler: Sampler): Promise<unknown> {
    async function* ticks(): AsyncGenerator<string, undefined> {
      yield `event: history\ndata: ${JSON.stringify(sampler.history)}\n\n`
      yield `event: tick\ndata: ${JSON.stringify(sampler.tick)}\n\n`
      for (let tick = await sampler.next(); tick !== undefined; tick = await sampler.next())
        yield `event: tick\ndata: ${JSON.stringify(tick)}\n\n`
      return undefined
    }
    return this.#stream(asked, ticks(), () => {})
  }

  async #stream({ reply, request }: Asked, source: Source, closed: () => void): Promise<unknown> {
    if (this.#open >= mostStreams)
      throw new HttpProblem(429, `There are ${mostStreams} subscriptions already; ask again when others have ended`)
    // its end has been told already
    if (reply.raw.destroyed) {
      closed()
      throw new HttpProblem(408, 'The asker has gone')
    }
    this.#open++
    const watch = dropStuck(reply.raw)
    reply.raw.once('close', () => {
      this.#open--
      watch[Symbol.dispose]()
      closed()
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

/** One that has taken nothing of what lies there for it for so long is let go: its place is wanted by others. */
const mostStuck = 120_000

function dropStuck(response: ServerResponse): Disposable {
  let taken = 0
  let since = performance.now()
  const timer = setInterval(() => {
    const { bytesWritten = 0, writableLength = 0 } = response.socket ?? {}
    const [now, waiting] = [bytesWritten - writableLength, writableLength > 0 || response.writableLength > 0]
    if (now !== taken || !waiting) {
      taken = now
      since = performance.now()
    } else if (performance.now() - since > mostStuck) response.destroy()
  }, heartbeat)
  timer.unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

/** Texts of events. */
type Source = Pick<AsyncIterator<string, unknown>, 'next'>

async function* texts(source: Source, first: Promise<IteratorResult<string>>): AsyncGenerator<string, void> {
  let next = first
  try {
    yield ': events\n\n'
    for (;;) {
      const { promise: silent, resolve } = Promise.withResolvers<undefined>()
      const timer = setTimeout(() => resolve(undefined), heartbeat)
      const result = await Promise.race([next, silent])
      clearTimeout(timer)
      if (result === undefined) yield ':\n\n'
      else if (result.done) return
      else {
        next = source.next()
        yield result.value
      }
    }
  } catch (error) {
    // what has begun as a response cannot become another one
    if (!(error instanceof DhaaraError)) throw error
    yield `event: problem\ndata: ${JSON.stringify(problemOf(error))}\n\n`
  } finally {
    next.catch(() => {})
  }
}
