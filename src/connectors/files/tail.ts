import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { createGunzip } from 'node:zlib'
import type { SourceTask } from '../../dsl/connect/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import { type FilePosition, findFile, type FoundFile, identify, statOf, successor } from './identity.ts'

/** Bytes of a file as they come, and where they end. */
export interface Piece {
  readonly bytes: Buffer
  /** Of the first byte. */
  readonly offset: number
  /** A file begins here. */
  readonly begins: boolean
  /** Nothing more is there for now. */
  readonly caughtUp: boolean
  /** The file, or all of it, ends here. */
  readonly ends: boolean
  /** The position behind so many bytes of the file. */
  at(offset: number): FilePosition | Promise<FilePosition>
}

export interface TailOptions {
  readonly path: string
  readonly follow: boolean
  readonly poll: number
  readonly lost: 'fail' | 'beginning'
}

const PIECE = 1 << 18

/**
 * Reads a file from a position on, in pieces; with `follow` as `tail -F` does: as it grows, and through rotations (renamed and
 * made anew) and truncations. A file that ends in `.gz` is unpacked; offsets count unpacked bytes then.
 *
 * @throws DhaaraError DHAARA_SOURCE_POSITION: the file of the position is gone, or has other content
 */
export async function* tail(
  options: TailOptions,
  from: FilePosition | undefined,
  signal: AbortSignal,
  task: SourceTask,
): AsyncGenerator<Piece> {
  const { path, follow, lost } = options
  let position = from
  let file: FoundFile | undefined
  if (position !== undefined) {
    file = await findFile(path, position)
    if (file === undefined) {
      if (lost === 'fail') throw gone(path, position)
      task.warn('the file that was read is gone; reading begins at the start of what is there', { path })
      position = undefined
    }
  }
  file ??= await waitFor(options, signal, task)
  while (file !== undefined && !signal.aborted) {
    const next: FoundFile | undefined = yield* readFile(options, file, position?.offset ?? 0, signal, task)
    position = undefined
    if (!follow) return
    file = next
  }
}

/** A file that may come yet. */
async function waitFor(
  { path, follow, poll }: TailOptions,
  signal: AbortSignal,
  task: SourceTask,
): Promise<FoundFile | undefined> {
  for (;;) {
    const stats = await statOf(path)
    if (stats !== undefined) return { path, stats }
    if (!follow)
      throw new DhaaraError(
        'DHAARA_SOURCE_POSITION',
        `found no file ${path}; expected one, or {follow: true} to wait for it`,
      )
    if (task.ending.aborted || signal.aborted) return undefined
    await nap(poll, signal, task)
  }
}

/** @returns the file to go on with */
async function* readFile(
  options: TailOptions,
  file: FoundFile,
  start: number,
  signal: AbortSignal,
  task: SourceTask,
): AsyncGenerator<Piece, FoundFile | undefined> {
  if (file.path.endsWith('.gz')) return yield* unpack(file, start, signal)
  const handle = await open(file.path)
  try {
    let offset = start
    let begins = start === 0
    let quiet = 0
    // the file keeps its number, whatever it is renamed to
    const at = (behind: number) => identifyOpen(handle, file, behind)
    for (;;) {
      // asked before reading: what was there then is read to its end
      const ending = task.ending.aborted || !options.follow
      const now = await statOf(options.path)
      const rotated = options.follow && now?.ino !== file.stats.ino
      const buffer = Buffer.allocUnsafe(PIECE)
      const { bytesRead } = await handle.read(buffer, 0, PIECE, offset)
      if (signal.aborted) return undefined
      if (bytesRead > 0) {
        const bytes = buffer.subarray(0, bytesRead)
        yield { bytes, offset, begins, caughtUp: bytesRead < PIECE && !rotated, ends: false, at }
        offset += bytesRead
        begins = false
        quiet = 0
        continue
      }
      if (!rotated && (await handle.stat()).size < offset) {
        task.warn('the file was truncated; reading begins at its start', { path: options.path })
        yield { bytes: none, offset, begins, caughtUp: false, ends: true, at }
        return { path: options.path, stats: await handle.stat() }
      }
      // who wrote it may not know yet that it was renamed: the last lines come a little later
      const next = rotated && (quiet++ > 0 || ending) ? await successor(options.path, file) : undefined
      if (next !== undefined || ending) {
        yield { bytes: none, offset, begins, caughtUp: false, ends: true, at }
        return next
      }
      await nap(options.poll, signal, task)
      if (signal.aborted) return undefined
    }
  } finally {
    await handle.close()
  }
}

async function* unpack(file: FoundFile, start: number, signal: AbortSignal): AsyncGenerator<Piece, undefined> {
  const packed = createReadStream(file.path)
  const stream = packed.pipe(createGunzip())
  packed.on('error', (error) => stream.destroy(error))
  let offset = 0
  const at = async (behind: number): Promise<FilePosition> => ({
    ...(await identify(file.path, file.stats, 0)),
    offset: behind,
  })
  try {
    for await (const chunk of stream) {
      if (signal.aborted) return
      const bytes = chunk as Buffer
      const skip = Math.min(bytes.length, Math.max(0, start - offset))
      const from = offset + skip
      if (skip < bytes.length)
        yield { bytes: bytes.subarray(skip), offset: from, begins: from === 0, caughtUp: false, ends: false, at }
      offset += bytes.length
    }
  } finally {
    packed.destroy()
  }
  yield { bytes: none, offset: Math.max(offset, start), begins: offset === 0, caughtUp: false, ends: true, at }
}

const none = Buffer.alloc(0)
const heads = new WeakMap<FileHandle, FilePosition>()

/** As `identify`, once a file as soon as its first bytes are there. */
async function identifyOpen(handle: FileHandle, file: FoundFile, offset: number): Promise<FilePosition> {
  const known = heads.get(handle)
  if (known !== undefined && known.headBytes === Math.min(offset, 256)) return { ...known, offset }
  const { crc32 } = await import('node:zlib')
  const headBytes = Math.min(256, offset)
  const head = Buffer.alloc(headBytes)
  await handle.read(head, 0, headBytes, 0)
  const { dev, ino } = file.stats
  const position = { dev, ino, head: headBytes === 0 ? 0 : crc32(head), headBytes, offset }
  heads.set(handle, position)
  return position
}

async function nap(ms: number, signal: AbortSignal, { ending }: SourceTask): Promise<void> {
  const either = AbortSignal.any([signal, ending])
  if (!either.aborted) await sleep(ms, undefined, { signal: either }).catch(() => {})
}

const gone = (path: string, { offset, ino }: FilePosition): DhaaraError =>
  new DhaaraError(
    'DHAARA_SOURCE_POSITION',
    `the file that was read to byte ${offset} (inode ${ino}) is neither ${path} nor beside it under a name that begins alike, or its content has changed. Put it back, or say {lost: 'beginning'} to read ${path} from its start`,
  )
