import { connect, type Socket } from 'node:net'
import { DhaaraError } from '../../errors/index.ts'
import { encodeMessage, type Message, MessageReader, readError } from './wire.ts'

/** The other processes' side of a directory's socket. */
export class GatewayClient implements AsyncDisposable {
  readonly #socket: Socket
  readonly #running = new Map<number, Call>()
  #nextId = 1
  #gone: DhaaraError | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    const reader = new MessageReader()
    socket.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk, (message) => this.#running.get(message.id)?.receive(message))
      } catch (error) {
        socket.destroy(error as Error)
      }
    })
    let cause: Error | undefined
    socket.on('error', (error) => {
      cause = error
    })
    socket.on('close', () => {
      this.#gone = new DhaaraError(
        'DHAARA_OWNER_GONE',
        'The process that holds the directory has closed the connection; it may have ended. Try again',
        { cause },
      )
      for (const call of this.#running.values()) call.fail(this.#gone)
      this.#running.clear()
    })
  }

  /** @throws the socket's error (ENOENT, ECONNREFUSED) if nobody listens */
  static async connect(path: string): Promise<GatewayClient> {
    const socket = connect(path)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    socket.once('error', reject)
    socket.once('connect', resolve)
    await promise
    socket.off('error', reject)
    return new GatewayClient(socket)
  }

  /** One answer. @throws DhaaraError what the owner threw, or DHAARA_OWNER_GONE */
  async call(name: string, params?: unknown): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const id = this.#begin({
      receive: (message) => (message.error === undefined ? resolve(message.ok) : reject(readError(message.error))),
      fail: reject,
    })
    this.#send({ id, call: name, params })
    try {
      return await promise
    } finally {
      this.#running.delete(id)
    }
  }

  /** Many answers, as fast as they are taken. The signal ends it quietly. @throws as `call` */
  async *stream(name: string, params?: unknown, signal?: AbortSignal): AsyncGenerator<unknown, void> {
    const items: unknown[] = []
    let ended = false
    let failed: Error | undefined
    let waiting: PromiseWithResolvers<void> | undefined
    const wake = (): void => {
      waiting?.resolve()
      waiting = undefined
    }
    const end = (error?: Error): void => {
      ended = true
      failed = error
      wake()
    }
    const id = this.#begin({
      receive: ({ item, error, end: last }) => {
        if (error !== undefined) end(readError(error))
        else if (last) end()
        else {
          items.push(item)
          wake()
        }
      },
      fail: end,
    })
    signal?.addEventListener('abort', wake)
    try {
      if (signal?.aborted) return
      this.#send({ id, call: name, params })
      while (!signal?.aborted) {
        if (items.length > 0) {
          const item = items.shift()
          if (!ended) this.#send({ id, more: 1 })
          yield item
        } else if (ended) {
          if (failed !== undefined) throw failed
          return
        } else {
          waiting = Promise.withResolvers()
          await waiting.promise
        }
      }
    } finally {
      signal?.removeEventListener('abort', wake)
      this.#running.delete(id)
      if (!ended && this.#gone === undefined) this.#send({ id, cancel: true })
    }
  }

  async close(): Promise<void> {
    if (this.#socket.destroyed) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#socket.once('close', () => resolve())
    this.#socket.end(() => this.#socket.destroy())
    await promise
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #begin(call: Call): number {
    if (this.#gone !== undefined) throw this.#gone
    const id = this.#nextId++
    this.#running.set(id, call)
    return id
  }

  #send(message: Message): void {
    this.#socket.write(encodeMessage(message))
  }
}

interface Call {
  receive(message: Message): void
  fail(error: Error): void
}
