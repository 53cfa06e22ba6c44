/**
 * Connections of our own for what is read in bulk: the socket writes into the memory of the answer, which the libraries copy
 * twice and leave to the collector.
 */
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import type { AnswerMemory } from '../answer-memory.ts'
import { DhaaraError } from '../../../errors/index.ts'
import {
  apiVersionsKey,
  type ClientOptions,
  type KafkaConnection,
  loginPart,
  type SaslOptions,
  saslHandshakeKey,
} from './client.ts'
import { failure } from './failures.ts'
import { logIn } from './sasl.ts'

const connectTimeout = 10_000
/** Where bytes go of which it is not known yet to what answer they belong. */
const scratchBytes = 64 << 10
/** More than any broker answers: this is not Kafka's protocol. */
const mostBytes = 2 ** 30

interface Waiting {
  readonly key: number
  readonly resolve: (answer: Buffer) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

/** @throws DhaaraError DHAARA_KAFKA_CONNECT, DHAARA_KAFKA_TIMEOUT, DHAARA_KAFKA_AUTH */
export async function connectDirect(
  host: string,
  port: number,
  timeoutMs: number,
  options: ClientOptions,
  memory: AnswerMemory,
): Promise<KafkaConnection> {
  const connection = new DirectConnection(`${host}:${port}`, options.clientId, timeoutMs, memory)
  await connection.start(host, port, options)
  if (options.sasl !== undefined) await connection.logIn(options.sasl)
  return connection
}

class DirectConnection implements KafkaConnection {
  readonly #address: string
  readonly #clientId: Buffer
  readonly #timeoutMs: number
  readonly #memory: AnswerMemory
  readonly #waiting = new Map<number, Waiting>()
  readonly #scratch = Buffer.allocUnsafeSlow(scratchBytes)
  /** The first bytes of an answer, before its size is known. */
  readonly #head = Buffer.alloc(4)
  #headBytes = 0
  /** The answer that is coming in, and how much of it is there. */
  #answer: Buffer | undefined
  #filled = 0
  #socket: Socket | undefined
  #next = 0
  #goodUntil = Number.POSITIVE_INFINITY

  constructor(address: string, clientId: string, timeoutMs: number, memory: AnswerMemory) {
    this.#address = address
    this.#clientId = Buffer.from(clientId)
    this.#timeoutMs = timeoutMs
    this.#memory = memory
  }

  async start(host: string, port: number, { ssl }: ClientOptions): Promise<void> {
    const onread = {
      buffer: () => (this.#answer === undefined ? this.#scratch : this.#answer.subarray(this.#filled)),
      callback: (bytes: number, into: Uint8Array) => {
        this.#take(bytes, into)
        return true
      },
    }
    const secure = ssl !== undefined && ssl !== false
    const name = /^[\d.:]+$/.test(host) ? {} : { servername: host }
    const own = ssl === true || !secure ? {} : ssl
    // the types of TLS do not name what its sockets have of those of TCP
    const secured: ConnectionOptions & { onread: unknown } = { ...own, ...name, host, port, onread }
    const socket = secure ? connectTls(secured) : connectTcp({ host, port, onread })
    this.#socket = socket
    socket.setNoDelay(true)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const late = setTimeout(() => socket.destroy(new Error('the connection timed out')), connectTimeout)
    socket.once(secure ? 'secureConnect' : 'connect', () => resolve())
    socket.on('error', (error) => this.#end(error))
    socket.once('error', reject)
    socket.once('close', () => {
      const error = new Error('connection closed')
      this.#end(error)
      reject(error)
    })
    try {
      await promise
    } catch (error) {
      throw failure(error, this.#address)
    } finally {
      clearTimeout(late)
    }
  }

  async logIn(sasl: SaslOptions): Promise<void> {
    try {
      const lifetime = await logIn((request, body) => this.send(request, body), sasl)
      if (lifetime > 0) this.#goodUntil = performance.now() + lifetime * loginPart
    } catch (error) {
      this.#socket?.destroy()
      throw error instanceof DhaaraError ? error : failure(error, this.#address)
    }
  }

  get open(): boolean {
    this.#leave()
    return this.#socket !== undefined && !this.#socket.destroyed && performance.now() < this.#goodUntil
  }

  /** What is under way is waited for. */
  #leave(): void {
    if (performance.now() >= this.#goodUntil && this.#waiting.size === 0) this.#socket?.destroy()
  }

  send(request: { readonly key: number; readonly version: number }, body: Buffer): Promise<Buffer> {
    const { key, version } = request
    const socket = this.#socket
    if (socket === undefined || socket.destroyed)
      return Promise.reject(failure(new Error('connection closed'), this.#address))
    const id = (this.#next = (this.#next + 1) & 0x7fffffff)
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
    const timer = setTimeout(() => socket.destroy(new Error('the request timed out')), this.#timeoutMs)
    this.#waiting.set(id, { key, resolve, reject, timer })
    const tagged = key !== saslHandshakeKey
    const head = Buffer.allocUnsafe(14 + this.#clientId.length + (tagged ? 1 : 0))
    head.writeInt32BE(head.length - 4 + body.length, 0)
    head.writeInt16BE(key, 4)
    head.writeInt16BE(version, 6)
    head.writeInt32BE(id, 8)
    head.writeInt16BE(this.#clientId.length, 12)
    this.#clientId.copy(head, 14)
    // there are none
    if (tagged) head[head.length - 1] = 0
    socket.cork()
    socket.write(head)
    socket.write(body)
    socket.uncork()
    return promise
  }

  close(): Promise<void> {
    const socket = this.#socket
    if (socket === undefined || socket.destroyed) return Promise.resolve()
    const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()))
    socket.destroy()
    return closed
  }

  /** So many bytes have come: straight into the answer, or into the scratch memory. */
  #take(bytes: number, into: Uint8Array): void {
    if (this.#answer !== undefined) {
      this.#filled += bytes
      if (this.#filled === this.#answer.length) this.#whole(this.#answer)
      return
    }
    for (let at = 0; at < bytes; ) {
      if (this.#answer === undefined) {
        this.#head[this.#headBytes++] = into[at++] as number
        if (this.#headBytes < 4) continue
        this.#headBytes = 0
        const size = this.#head.readInt32BE(0)
        if (size < 5 || size > mostBytes) {
          this.#socket?.destroy(
            new Error(`an answer of ${size} bytes was announced; this is not Kafka, or TLS is spoken`),
          )
          return
        }
        this.#answer = this.#memory.take(size)
        this.#filled = 0
      }
      const answer = this.#answer
      const here = Math.min(bytes - at, answer.length - this.#filled)
      answer.set(into.subarray(at, at + here), this.#filled)
      at += here
      this.#filled += here
      if (this.#filled === answer.length) this.#whole(answer)
    }
  }

  /** Its number, and tagged fields of which brokers have none; then what was asked for. */
  #whole(answer: Buffer): void {
    this.#answer = undefined
    const id = answer.readInt32BE(0)
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) {
      this.#socket?.destroy(new Error(`an answer came to the request ${id}, which was not made`))
      return
    }
    this.#waiting.delete(id)
    clearTimeout(waiting.timer)
    waiting.resolve(answer.subarray(waiting.key === apiVersionsKey || waiting.key === saslHandshakeKey ? 4 : 5))
    this.#leave()
  }

  #end(error: Error): void {
    for (const { timer, reject } of this.#waiting.values()) {
      clearTimeout(timer)
      reject(failure(error, this.#address))
    }
    this.#waiting.clear()
  }
}
