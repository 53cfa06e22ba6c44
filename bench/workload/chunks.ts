/**
 * A workload on disk, made before any clock starts, and read by every subject chunk by chunk while the clock stands still.
 *
 * File: chunks one after the other. Chunk, little-endian: u32 count, u32 bytes, u32 offsets[count + 1], the bytes, zero
 * bytes up to a multiple of 4. Record i of a chunk is bytes[offsets[i]] .. bytes[offsets[i + 1]].
 */
import { closeSync, existsSync, mkdirSync, openSync, readSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** Records as bytes. The buffers are used again for the next chunk: keep none of them. */
export interface Chunk {
  readonly bytes: Buffer
  /** `count + 1` of them. */
  readonly offsets: Uint32Array
  readonly count: number
}

export interface WorkloadSpec {
  readonly records: number
  /** Records a chunk; `records` is a multiple of it. */
  readonly chunkSize: number
}

const align = (bytes: number): number => (bytes + 3) & ~3

/** Writes the file if it is not there; `next` gives one JSON-able record after the other. */
export function writeWorkload(path: string, { records, chunkSize }: WorkloadSpec, next: () => unknown): void {
  if (existsSync(path)) return
  mkdirSync(dirname(path), { recursive: true })
  const temporary = `${path}.${process.pid}`
  const fd = openSync(temporary, 'w')
  const offsets = new Uint32Array(chunkSize + 1)
  let bytes = Buffer.alloc(chunkSize * 256)
  for (let done = 0; done < records; done += chunkSize) {
    let at = 0
    for (let i = 0; i < chunkSize; i++) {
      const text = JSON.stringify(next())
      // A UTF-16 unit has at most 3 bytes.
      const needed = align(at + text.length * 3)
      if (needed > bytes.length) bytes = Buffer.concat([bytes], needed * 2)
      at += bytes.utf8Write(text, at)
      offsets[i + 1] = at
    }
    writeSync(fd, new Uint32Array([chunkSize, at]))
    writeSync(fd, offsets)
    writeSync(fd, bytes, 0, align(at))
  }
  closeSync(fd)
  // A run that was killed leaves no half a workload under the final name.
  renameSync(temporary, path)
}

/** The first `records` of a workload. Each chunk is valid until the next one is asked for. */
export function* readWorkload(path: string, records: number): Generator<Chunk> {
  const fd = openSync(path, 'r')
  try {
    const head = new Uint32Array(2)
    let offsets = new Uint32Array(0)
    let bytes = Buffer.alloc(0)
    for (let done = 0; done < records; ) {
      if (readSync(fd, head) === 0) throw new Error(`${path} has ${done} records, ${records} are needed: remove it`)
      const count = head[0]!
      const length = head[1]!
      if (offsets.length !== count + 1) offsets = new Uint32Array(count + 1)
      if (bytes.length < align(length)) bytes = Buffer.alloc(align(length) + 65_536)
      readSync(fd, offsets)
      readSync(fd, bytes, 0, align(length), null)
      done += count
      yield { bytes, offsets, count }
    }
  } finally {
    closeSync(fd)
  }
}

/** Record i of a chunk, parsed. */
export function parseRecord<T>(chunk: Chunk, i: number): T {
  return JSON.parse(chunk.bytes.utf8Slice(chunk.offsets[i], chunk.offsets[i + 1])) as T
}
