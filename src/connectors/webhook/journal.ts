/**
 * What was received and not yet processed, on disk: a folder of segments `000000001.wal`, each a run of
 *
 *     length u32 | crc32 u32 | bytes
 *
 * Appends are forced to the disk together; who appended hears of it then. A torn end, which nobody was told of, is cut off
 * when the folder is opened.
 */
import { type FileHandle, mkdir, open, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { DhaaraError } from '../../errors/index.ts'

/** Behind an entry. */
export interface JournalPosition {
  readonly segment: number
  readonly offset: number
}

const headBytes = 8
const suffix = '.wal'

interface Waiting {
  readonly bytes: Buffer
  readonly done: (error?: unknown) => void
}

export class Journal {
  private readonly dir: string
  private readonly segmentBytes: number
  private readonly sizes = new Map<number, number>()
  private file: FileHandle | undefined
  private current = 1
  /** Bytes of the present segment that are on the disk. */
  private size = 0
  private waiting: Waiting[] = []
  private flushing: Promise<void> | undefined
  private readonly listeners = new Set<() => void>()

  private constructor(dir: string, segmentBytes: number) {
    this.dir = dir
    this.segmentBytes = segmentBytes
  }

  static async open(dir: string, segmentBytes = 16 << 20): Promise<Journal> {
    await mkdir(dir, { recursive: true })
    const journal = new Journal(dir, segmentBytes)
    const names = (await readdir(dir)).filter((name) => name.endsWith(suffix)).sort()
    for (const name of names) {
      const segment = Number(name.slice(0, -suffix.length))
      const last = name === names.at(-1)
      const size = await wholeSize(join(dir, name), last)
      journal.sizes.set(segment, size)
      journal.current = segment
      journal.size = size
    }
    journal.file = await open(journal.path(journal.current), names.length === 0 ? 'w+' : 'r+')
    journal.sizes.set(journal.current, journal.size)
    return journal
  }

  /** Resolves when the entries are on the disk; they are there together. */
  append(entries: readonly Uint8Array[]): Promise<void> {
    const bytes = Buffer.concat(entries.flatMap((entry) => [headOf(entry), entry]))
    return new Promise((resolve, reject) => {
      this.waiting.push({ bytes, done: (error) => (error === undefined ? resolve() : reject(error as Error)) })
      this.flushing ??= this.flush()
    })
  }

  /**
   * Entries behind a position that are on the disk, a run at once; waits for more until a signal is aborted.
   * @param ending aborted: what is there is read to its end
   */
  async *read(
    from: JournalPosition | undefined,
    signal: AbortSignal,
    ending: AbortSignal = signal,
  ): AsyncGenerator<{ readonly entries: Buffer[]; readonly position: JournalPosition; readonly caughtUp: boolean }> {
    let at = from ?? { segment: Math.min(...this.sizes.keys()), offset: 0 }
    if (from !== undefined && (this.sizes.get(from.segment) ?? -1) < from.offset) throw this.lost(from)
    while (!signal.aborted) {
      const size = this.sizes.get(at.segment) ?? 0
      if (at.offset < size) {
        const { entries, offset } = await this.entries(at, Math.min(size, at.offset + (1 << 20)), size)
        at = { segment: at.segment, offset }
        yield { entries, position: at, caughtUp: at.segment === this.current && offset >= this.size }
      } else if (at.segment < this.current) at = { segment: at.segment + 1, offset: 0 }
      else if (ending.aborted) return
      else await this.more(AbortSignal.any([signal, ending]))
    }
  }

  /** Bytes behind a position. */
  behind({ segment, offset }: JournalPosition = { segment: 0, offset: 0 }): number {
    let bytes = 0
    for (const [n, size] of this.sizes) bytes += n < segment ? 0 : n === segment ? size - offset : size
    return bytes
  }

  /** Segments before it are of no more use. */
  async forget({ segment }: JournalPosition): Promise<void> {
    for (const n of [...this.sizes.keys()]) {
      if (n >= segment || n === this.current) continue
      this.sizes.delete(n)
      await unlink(this.path(n)).catch(() => {})
    }
  }

  async close(): Promise<void> {
    await this.flushing
    await this.file?.close()
    this.file = undefined
  }

  private async flush(): Promise<void> {
    while (this.waiting.length > 0) {
      const group = this.waiting
      this.waiting = []
      try {
        if (this.size >= this.segmentBytes) await this.roll()
        const bytes = Buffer.concat(group.map((one) => one.bytes))
        const file = this.file
        if (file === undefined) throw new DhaaraError('DHAARA_SOURCE_FAILED', 'the journal is closed')
        await file.write(bytes, 0, bytes.length, this.size)
        await file.datasync()
        this.size += bytes.length
        this.sizes.set(this.current, this.size)
        for (const { done } of group) done()
        for (const listener of this.listeners) listener()
      } catch (error) {
        for (const { done } of group) done(error)
      }
    }
    // in the same turn as the last look: who appends from now on flushes
    this.flushing = undefined
  }

  private async roll(): Promise<void> {
    await this.file?.close()
    this.current++
    this.file = await open(this.path(this.current), 'w+')
    this.size = 0
    this.sizes.set(this.current, 0)
  }

  /** Whole entries from `at` to about `to`, one at least. */
  private async entries(at: JournalPosition, to: number, size: number): Promise<{ entries: Buffer[]; offset: number }> {
    const file = await open(this.path(at.segment))
    try {
      for (let end = to; ; end = size) {
        const bytes = Buffer.alloc(end - at.offset)
        await file.read(bytes, 0, bytes.length, at.offset)
        const { entries, used } = entriesIn(bytes)
        if (entries.length > 0) return { entries, offset: at.offset + used }
        if (end === size)
          throw new DhaaraError('DHAARA_SOURCE_POSITION', `${this.path(at.segment)} is damaged at byte ${at.offset}`)
      }
    } finally {
      await file.close()
    }
  }

  private more(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.listeners.delete(done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      this.listeners.add(done)
      signal.addEventListener('abort', done)
    })
  }

  private path(segment: number): string {
    return join(this.dir, `${String(segment).padStart(9, '0')}${suffix}`)
  }

  private lost({ segment, offset }: JournalPosition): DhaaraError {
    const there = Array.from(this.sizes, ([n, size]) => `${n} (${size} bytes)`).join(', ')
    const message = `the journal ${this.dir} has no byte ${offset} of segment ${segment}; it has segments ${there}. Put back the folder that belongs to the job's state`
    return new DhaaraError('DHAARA_SOURCE_POSITION', message)
  }
}

function headOf(entry: Uint8Array): Buffer {
  const head = Buffer.allocUnsafe(headBytes)
  head.writeUInt32LE(entry.length, 0)
  head.writeUInt32LE(crc32(entry), 4)
  return head
}

function entriesIn(bytes: Buffer): { entries: Buffer[]; used: number } {
  const entries: Buffer[] = []
  let at = 0
  while (at + headBytes <= bytes.length) {
    const end = at + headBytes + bytes.readUInt32LE(at)
    if (end > bytes.length) break
    const entry = bytes.subarray(at + headBytes, end)
    if (crc32(entry) !== bytes.readUInt32LE(at + 4)) break
    entries.push(entry)
    at = end
  }
  return { entries, used: at }
}

/** How far a segment is whole; the rest of the last one is cut off. */
async function wholeSize(path: string, last: boolean): Promise<number> {
  const file = await open(path, 'r+')
  try {
    const { size } = await file.stat()
    const bytes = Buffer.alloc(size)
    await file.read(bytes, 0, size, 0)
    const { used } = entriesIn(bytes)
    if (used < size && !last) throw new DhaaraError('DHAARA_SOURCE_POSITION', `${path} is damaged at byte ${used}`)
    if (used < size) await file.truncate(used)
    return used
  } finally {
    await file.close()
  }
}
