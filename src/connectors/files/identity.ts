import type { Stats } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'

/** So many of a file's first bytes tell it from another one with its number. */
const HEAD = 256

/** Where reading goes on: in which file, whatever it is called by now, and behind which byte. */
export interface FilePosition {
  readonly dev: number
  readonly ino: number
  /** CRC-32 of the file's first `headBytes` bytes. */
  readonly head: number
  readonly headBytes: number
  readonly offset: number
}

/** A file that was found. */
export interface FoundFile {
  readonly path: string
  readonly stats: Stats
}

export async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** The position at `offset` of an open file. */
export async function identify(path: string, stats: Stats, offset: number): Promise<FilePosition> {
  const headBytes = Math.min(HEAD, offset)
  return { dev: stats.dev, ino: stats.ino, head: await headOf(path, headBytes), headBytes, offset }
}

async function headOf(path: string, bytes: number): Promise<number> {
  if (bytes === 0) return 0
  const file = await open(path)
  try {
    const head = Buffer.alloc(bytes)
    const { bytesRead } = await file.read(head, 0, bytes, 0)
    return crc32(head.subarray(0, bytesRead))
  } finally {
    await file.close()
  }
}

/** The file that a position is in: that of the path, or one that it was renamed to (`app.log.1`, `app-2026.log`). */
export async function findFile(path: string, position: FilePosition): Promise<FoundFile | undefined> {
  for (const candidate of [path, ...(await siblings(path))]) {
    const stats = await statOf(candidate)
    if (stats === undefined || stats.ino !== position.ino || stats.dev !== position.dev) continue
    if (candidate.endsWith('.gz') ? candidate !== path : stats.size < position.offset) continue
    if ((await headOf(candidate, position.headBytes)) !== position.head) continue
    return { path: candidate, stats }
  }
  return undefined
}

/** What came after a file that was rotated: the next younger of its siblings, else the one that has its name now. */
export async function successor(path: string, { stats }: FoundFile): Promise<FoundFile | undefined> {
  const found: FoundFile[] = []
  for (const candidate of [path, ...(await siblings(path))]) {
    const other = await statOf(candidate)
    if (other === undefined || other.ino === stats.ino) continue
    if (candidate === path || other.birthtimeMs > stats.birthtimeMs) found.push({ path: candidate, stats: other })
  }
  const others = found.filter((file) => file.path !== path).sort((a, b) => a.stats.birthtimeMs - b.stats.birthtimeMs)
  return others[0] ?? found.find((file) => file.path === path)
}

/** Files beside it whose names begin as its does. */
async function siblings(path: string): Promise<string[]> {
  const name = basename(path)
  const stem = name.replace(/\.[^.]*$/, '')
  const names = await readdir(dirname(path)).catch(() => [] as string[])
  return names
    .filter((other) => other !== name && other.startsWith(stem) && !other.endsWith('.gz') && !other.startsWith('.'))
    .sort()
    .map((other) => join(dirname(path), other))
}
