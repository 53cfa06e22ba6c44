import { randomBytes } from 'node:crypto'
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { threadEnv } from '../../../connectors/broker/apart/index.ts'
import { DhaaraError } from '../../../errors/index.ts'
import { receiveError } from '../../../errors/sent-error.ts'
import type { RocksBackend, SharedHandle } from '../../../state/backends/index.ts'
import type { Packed } from '../../../state/epoch-pack.ts'
import { markKey, type ScribeStart, type Told, type Written, type Writing } from './scribe-protocol.ts'

/** Longest that somebody may block until a write is over, ms. */
const patience = 30_000

// one file extension here and there: sources run as they are, the package is compiled
const script = new URL(import.meta.url.endsWith('.ts') ? './scribe-thread.ts' : './scribe-thread.js', import.meta.url)

/** What became of a write: nothing of it is there, unless it says how long it took. */
export type Outcome = Written | { readonly error: Error } | { readonly died: unknown; readonly written: boolean }

export const isWritten = (outcome: Outcome): boolean => 'bytes' in outcome || ('died' in outcome && outcome.written)

interface Under {
  readonly number: number
  readonly done: (outcome: Outcome) => void
}

interface Thread {
  readonly worker: Worker
  readonly port: MessagePort
  readonly handle: SharedHandle
  readonly exited: Promise<void>
}

/**
 * Writes batches to the database from a thread of its own, one after another: filling and writing one takes some 2 µs a row,
 * for which the thread that owns the database would answer nobody. RocksDB does not hold up who reads meanwhile.
 */
export class Scribe {
  private readonly backend: RocksBackend
  private readonly over = new SharedArrayBuffer(4)
  private readonly id = randomBytes(12)
  private thread: Thread | undefined
  /** What the thread has not done yet, in its order. */
  private readonly under: Under[] = []
  private number = 0
  private leaving = false
  private readonly waiting: (() => void)[] = []

  constructor(backend: RocksBackend) {
    this.backend = backend
  }

  /** Somebody has needed its thread. */
  get running(): boolean {
    return this.thread !== undefined
  }

  /** Starts its thread: else the first write waits for that. */
  start(): void {
    this.thread ??= this.hire()
  }

  /** The memory of the packs goes to the thread. @param done called once, by the event loop or by `finish` */
  write(packs: readonly Packed[], sync: boolean, done: (outcome: Outcome) => void): void {
    if (this.leaving)
      throw new DhaaraError('DHAARA_INTERNAL', 'the thread that writes epochs is gone; nothing is written')
    this.start()
    const number = ++this.number
    const { port } = this.thread as Thread
    port.postMessage(
      { number, packs, mark: this.markOf(number), sync } satisfies Writing,
      packs.map(({ memory }) => memory),
    )
    this.under.push({ number, done })
  }

  /** Blocks until all is written that was given. */
  finish(): void {
    const { thread } = this
    while (this.under.length > 0 && thread !== undefined) this.settle(this.next(thread.port))
  }

  /** Resolves when all is written that was given. */
  async idle(): Promise<void> {
    if (this.under.length > 0) await new Promise<void>((resolve) => this.waiting.push(resolve))
  }

  /** Ends the thread when its write is over. */
  async close(): Promise<void> {
    this.leaving = true
    await this.idle()
    const { thread } = this
    this.thread = undefined
    thread?.port.close()
    await thread?.exited
  }

  private hire(): Thread {
    const { port1: port, port2 } = new MessageChannel()
    const handle = this.backend.lend()
    const workerData: ScribeStart = { port: port2, handle, over: this.over }
    const transferList = [port2]
    const worker = new Worker(script, { workerData, transferList, env: threadEnv(), name: 'dhaara-scribe' })
    let cause: unknown
    port.on('message', (told: Told) => this.settle(told))
    worker.on('error', (error: unknown) => {
      cause = error
    })
    const exited = new Promise<void>((resolve) => {
      worker.once('exit', (code) => {
        this.backend.takeBack(handle)
        // what it said last may lie here still
        for (let last = receiveMessageOnPort(port); last !== undefined; last = receiveMessageOnPort(port)) {
          this.settle(last.message as Told)
        }
        port.close()
        if (!this.leaving || this.under.length > 0) this.died(cause ?? new Error(`it ended with exit code ${code}`))
        resolve()
      })
    })
    return { worker, port, handle, exited }
  }

  /** Another one takes its place with the next write. */
  private died(cause: unknown): void {
    this.thread = undefined
    const mark = this.backend.get(markKey)
    const last = mark?.subarray(0, this.id.length).equals(this.id) ? mark.readUInt32LE(this.id.length) : 0
    Atomics.store(new Int32Array(this.over), 0, this.number)
    for (const { number } of [...this.under]) this.end({ died: cause, written: number <= last })
  }

  /** What the thread tells next; blocks until it does. */
  private next(port: MessagePort): Told {
    const over = new Int32Array(this.over)
    for (let waited = ''; waited !== 'timed-out'; ) {
      // before it looks: what comes behind the look ends the wait
      const seen = Atomics.load(over, 0)
      const told = receiveMessageOnPort(port)
      if (told !== undefined) return told.message as Told
      waited = Atomics.wait(over, 0, seen, patience)
    }
    throw new DhaaraError('DHAARA_INTERNAL', `the thread that writes epochs has not come back for ${patience} ms`)
  }

  private markOf(number: number): Uint8Array {
    const mark = Buffer.alloc(this.id.length + 4)
    mark.set(this.id)
    mark.writeUInt32LE(number, this.id.length)
    return mark
  }

  private settle(told: Told): void {
    this.end('error' in told ? { error: receiveError(told.error) } : told)
  }

  private end(outcome: Outcome): void {
    this.under.shift()?.done(outcome)
    if (this.under.length > 0) return
    for (const resolve of this.waiting.splice(0)) resolve()
  }
}
