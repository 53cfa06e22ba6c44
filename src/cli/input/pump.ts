import { createHash, type Hash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import type { EmbeddedLease } from '../../connectors/broker/index.ts'
import type { FrameBuilder } from '../../connectors/broker/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import { LineSplitter } from '../../connectors/files/lines.ts'
import { checkedPrefix, type ProgressRows } from './progress.ts'
import type { RecordMaker } from './record-maker.ts'

const chunkBytes = 1 << 20
/** How far what is appended may be ahead of what is processed. */
const mostRecords = 100_000
const mostBytes = 64 << 20

export interface PumpOptions {
  readonly topic: string
  /** '-': standard input. */
  readonly file: string
  readonly maker: RecordMaker
  /** Into which `maker` puts the records, one a partition. */
  readonly builders: readonly FrameBuilder[]
  readonly lease: EmbeddedLease
  readonly rows: ProgressRows
  /** Records of the topic that wait to be processed; undefined: nobody processes yet. */
  readonly lag: () => number | undefined
}

/**
 * Appends the lines of a file, or of standard input, to a topic: a chunk a commit, which also says how far the file was
 * read. Goes on where the last commit ended.
 */
export class InputPump {
  readonly topic: string
  readonly file: string
  /** Lines appended, of earlier runs too. */
  lines = 0
  /** All of it is in the topic. */
  ended = false
  readonly #options: PumpOptions
  readonly #splitter = new LineSplitter(2 * chunkBytes)
  #hash: Hash = createHash('sha256')
  #bytes = 0
  #handle: FileHandle | undefined
  #stream: Readable | undefined
  #stopped = false
  /** Of this run. */
  #ownLines = 0
  #ownBytes = 0

  constructor(options: PumpOptions) {
    this.topic = options.topic
    this.file = options.file
    this.#options = options
    if (this.file === '-') this.#stream = process.stdin
  }

  /** Standard input or a pipe (`<(command)`): it can be read once, and nothing of it is remembered. */
  get passesBy(): boolean {
    return this.#stream !== undefined
  }

  /** @throws DhaaraError DHAARA_OPTION if there is no such file, DHAARA_INPUT_CHANGED */
  async open(): Promise<void> {
    if (this.passesBy) return
    try {
      this.#handle = await open(this.file, 'r')
      const kind = await this.#handle.stat()
      if (kind.isDirectory()) throw new Error(`${this.file} is a directory`)
      if (!kind.isFile()) this.#stream = this.#handle.createReadStream({ highWaterMark: chunkBytes })
    } catch (cause) {
      const reason = (cause as Error).message
      throw new DhaaraError('DHAARA_OPTION', `the input of topic '${this.topic}' cannot be read: ${reason}`, { cause })
    }
    const progress = this.#options.rows.get(this.topic)
    if (progress === undefined || this.passesBy) return
    this.#hash = await checkedPrefix(this.file, this.topic, progress)
    this.lines = progress.lines
    this.#bytes = progress.bytes
    if (progress.open) await this.#skipLineBreak()
  }

  /** Lines whose key could not be made. */
  get withoutKey(): number {
    return this.#options.maker.withoutKey
  }

  /** The first chunk, so that the job finds something of each input. */
  async prime(): Promise<void> {
    if (!this.passesBy) await this.#readChunk()
  }

  /** Until all is appended, or `stop`. */
  async run(): Promise<void> {
    if (this.#stream !== undefined) await this.#runStream(this.#stream)
    else {
      while (!this.#stopped && !this.ended) {
        await this.#keepPace()
        await this.#readChunk()
      }
    }
  }

  stop(): void {
    this.#stopped = true
    this.#stream?.destroy()
  }

  async close(): Promise<void> {
    await this.#handle?.close()
    this.#handle = undefined
  }

  async #readChunk(): Promise<void> {
    if (this.#handle === undefined || this.ended || this.#stopped) return
    const space = this.#splitter.space()
    const at = this.#bytes + this.#splitter.rest
    const bytesRead = await this.#read(this.#handle, space, at)
    this.#splitter.filled(bytesRead)
    this.#append(bytesRead === 0)
    this.ended = bytesRead === 0
  }

  async #read(handle: FileHandle, into: Buffer, at: number): Promise<number> {
    try {
      return (await handle.read(into, 0, Math.min(into.length, chunkBytes), at)).bytesRead
    } catch (cause) {
      throw unreadable(this.file, cause)
    }
  }

  async #runStream(stream: Readable): Promise<void> {
    try {
      for await (const chunk of stream) {
        if (this.#stopped) return
        this.#splitter.push(chunk as Buffer)
        this.#append(false)
        await this.#keepPace()
      }
    } catch (cause) {
      if (this.#stopped) return
      if (cause instanceof DhaaraError) throw cause
      throw unreadable(this.file === '-' ? 'standard input' : this.file, cause)
    }
    if (this.#stopped) return
    this.#append(true)
    this.ended = true
  }

  #append(last: boolean): void {
    const { topic, file, maker, builders, lease, rows } = this.#options
    const now = Date.now()
    const batch = lease.backend.batch()
    const transaction = lease.log.begin(batch)
    let lines = 0
    let bytes = 0
    let open = false
    const line = (buf: Buffer, start: number, end: number): void => {
      const from = this.#bytes === 0 && lines === 0 && isByteOrderMark(buf, start, end) ? start + 3 : start
      maker.line(buf, from, end, now)
      lines++
    }
    const consumed = (part: Buffer): void => {
      bytes += part.length
      if (!this.passesBy) this.#hash.update(part)
    }
    try {
      this.#splitter.take(line, consumed)
      if (last && this.#splitter.rest > 0) {
        this.#splitter.takeRest(line, consumed)
        open = true
      }
      for (const [partition, builder] of builders.entries())
        if (builder.count > 0) transaction.append(topic, partition, builder.finishShared())
      if (lines > 0 && !this.passesBy) {
        const sha256 = this.#hash.copy().digest('hex')
        rows.put(batch, topic, { bytes: this.#bytes + bytes, lines: this.lines + lines, sha256, open })
      }
    } catch (error) {
      transaction.rollback()
      throw lineError(error, file, this.lines + lines)
    }
    transaction.commit()
    maker.turn()
    this.#bytes += bytes
    this.lines += lines
    this.#ownLines += lines
    this.#ownBytes += bytes
  }

  /** Waits while the topic is far ahead of the job. */
  async #keepPace(): Promise<void> {
    const meanBytes = this.#ownBytes / Math.max(1, this.#ownLines)
    const most = Math.max(1, Math.min(mostRecords, mostBytes / Math.max(1, meanBytes)))
    while (!this.#stopped) {
      const lag = this.#options.lag()
      if (lag !== undefined && lag < most) return
      await setTimeout(2)
    }
  }

  async #skipLineBreak(): Promise<void> {
    const bytes = Buffer.alloc(2)
    const { bytesRead } = (await this.#handle?.read(bytes, 0, 2, this.#bytes)) ?? { bytesRead: 0 }
    if (bytesRead === 0) return
    const skipped = bytes.subarray(0, bytes[0] === 10 ? 1 : bytesRead)
    this.#hash.update(skipped)
    this.#bytes += skipped.length
  }
}

const unreadable = (what: string, cause: unknown): DhaaraError =>
  new DhaaraError('DHAARA_INPUT', `${what} could not be read: ${(cause as Error).message}`, { cause })

const isByteOrderMark = (buf: Buffer, start: number, end: number): boolean =>
  end - start >= 3 && buf[start] === 0xef && buf[start + 1] === 0xbb && buf[start + 2] === 0xbf

function lineError(error: unknown, file: string, line: number): unknown {
  if (!(error instanceof DhaaraError)) return error
  const where = `${file === '-' ? 'standard input' : file}, line ${line}`
  return new DhaaraError(error.code as never, `${where}: ${error.message}`, { cause: error.cause })
}
