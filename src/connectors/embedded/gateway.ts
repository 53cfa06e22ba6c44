import { createHash } from 'node:crypto'
import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Requests } from './requests.ts'
import { encodeMessage, type Message, MessageReader, window, wireError } from './wire.ts'

/** What `sun_path` holds on the smallest of the platforms (macOS), with its final zero. */
const mostPathBytes = 103

/** Where the owner of a directory listens: in it, or in the temporary directory if the path were too long. */
export function socketPath(dir: string): string {
  const name = createHash('sha256').update(dir).digest('hex').slice(0, 24)
  if (process.platform === 'win32') return `\\\\.\\pipe\\dhaara-${name}`
  const inside = join(dir, 'dhaara.sock')
  return Buffer.byteLength(inside) <= mostPathBytes ? inside : join(tmpdir(), `dhaara-${name}.sock`)
}

/** The owner's side of a directory's socket. It keeps no process alive. */
export class Gateway {
  readonly path: string
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(path: string, server: Server) {
    this.path = path
    this.#server = server
  }

  /** To be called by who holds the directory's lock: a socket that is there is a dead one's. */
  static async listen(path: string, requests: Requests): Promise<Gateway> {
    if (process.platform !== 'win32') rmSync(path, { force: true })
    const server = createServer()
    const gateway = new Gateway(path, server)
    server.on('connection', (socket) => gateway.#serve(socket, requests))
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    server.once('error', reject)
    server.listen(path, resolve)
    await promise
    server.unref()
    if (process.platform !== 'win32') chmodSync(path, 0o600)
    return gateway
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    await promise
  }

  #serve(socket: Socket, requests: Requests): void {
    this.#sockets.add(socket)
    socket.unref()
    const reader = new MessageReader()
    const running = new Map<number, Running>()
    socket.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk, (message) => receive(socket, requests, running, message))
      } catch {
        socket.destroy()
      }
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#sockets.delete(socket)
      for (const { abort, credit } of running.values()) {
        abort.abort()
        credit.wake()
      }
    })
  }
}

interface Running {
  readonly abort: AbortController
  readonly credit: Credit
}

/** How many items the client has room for. */
class Credit {
  #left = window
  #waiting: PromiseWithResolvers<void> | undefined

  add(n: number): void {
    this.#left += n
    this.wake()
  }

  wake(): void {
    this.#waiting?.resolve()
    this.#waiting = undefined
  }

  async take(signal: AbortSignal): Promise<void> {
    while (this.#left <= 0 && !signal.aborted) {
      this.#waiting ??= Promise.withResolvers()
      await this.#waiting.promise
    }
    this.#left--
  }
}

function receive(socket: Socket, requests: Requests, running: Map<number, Running>, message: Message): void {
  const { id, call, params, more, cancel } = message
  const known = running.get(id)
  if (more !== undefined) known?.credit.add(more)
  if (cancel) {
    known?.abort.abort()
    known?.credit.wake()
  }
  if (call === undefined) return
  const run = { abort: new AbortController(), credit: new Credit() }
  running.set(id, run)
  void answer(socket, requests, id, call, params, run).finally(() => running.delete(id))
}

async function answer(
  socket: Socket,
  requests: Requests,
  id: number,
  call: string,
  params: unknown,
  { abort: { signal }, credit }: Running,
): Promise<void> {
  const send = (message: Message): void => {
    if (!socket.destroyed) socket.write(encodeMessage(message))
  }
  try {
    const result = await requests.call(call, params, signal)
    if (!isAsyncIterable(result)) return send({ id, ok: result })
    for await (const item of result) {
      await credit.take(signal)
      if (signal.aborted) break
      send({ id, item })
    }
    send({ id, end: true })
  } catch (error) {
    send({ id, error: wireError(error) })
  }
}

export const isAsyncIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value
