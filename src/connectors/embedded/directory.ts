/**
 * A directory of topics and state, and its one owner.
 *
 *     dhaara.json   {"format": 1, "ready": true}; ready is false until the database was made; where its owner has closed it,
 *                   `writes` says how many rows were written until then, so that a damaged write-ahead log is noticed
 *     owner.json    who holds it now: {"pid", "since", "socket"}; to be read by people and by other processes
 *     dhaara.sock   the owner listens here (another place, named in owner.json, where the path would be too long)
 *     db/           RocksDB; its LOCK is what really keeps others out, also after a crash of the owner
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { DhaaraError } from '../../errors/index.ts'
import type { Backend } from '../../state/backend.ts'
import { openRocks, type RocksBackend, type RocksOptions } from '../../state/backends/index.ts'

export const directoryFormat = 1

/** Brings a database from the format of the key to the next one. A crash in between runs it again. */
export type Migrations = ReadonlyMap<number, (backend: Backend) => void>

export interface Owner {
  readonly pid: number
  /** ISO 8601. */
  readonly since: string
  /** Where the owner listens. */
  readonly socket?: string
}

export interface OpenDirectory {
  readonly path: string
  readonly backend: RocksBackend
  /** Tells others where the owner listens. */
  announce(socket: string): void
  close(): Promise<void>
}

export interface DirectoryOptions extends RocksOptions {
  /** For tests. */
  readonly format?: number
  readonly migrations?: Migrations
}

interface Format {
  readonly format: number
  readonly ready: boolean
  readonly writes?: number
}

/** @throws DhaaraError DHAARA_STATE_LOCKED, DHAARA_STATE_CORRUPT, DHAARA_STATE_VERSION, DHAARA_PLATFORM, DHAARA_STATE_IO */
export async function openDirectory(dir: string, options: DirectoryOptions = {}): Promise<OpenDirectory> {
  const { format = directoryFormat, migrations = new Map(), ...rocks } = options
  const path = resolve(dir)
  const found = prepare(path, format, migrations)
  let backend: RocksBackend
  try {
    backend = await openRocks(join(path, 'db'), { ...rocks, createIfMissing: !found.ready })
  } catch (error) {
    throw await explain(error as Error, path)
  }
  try {
    for (let from = found.format; from < format; from++) {
      migrations.get(from)?.(backend)
      writeJson(path, 'dhaara.json', { format: from + 1, ready: true } satisfies Format)
    }
    holdToWrites(path, found, backend)
    // from now on it grows
    if (!found.ready || found.writes !== undefined)
      writeJson(path, 'dhaara.json', { format, ready: true } satisfies Format)
    const owner = { pid: process.pid, since: new Date().toISOString() }
    writeJson(path, 'owner.json', owner satisfies Owner)
    return {
      path,
      backend,
      announce: (socket) => writeJson(path, 'owner.json', { ...owner, socket } satisfies Owner),
      async close() {
        // Before the lock is given up: after it the file may be another owner's.
        rmSync(join(path, 'owner.json'), { force: true })
        sign(path, format, backend)
        await backend.close()
      },
    }
  } catch (error) {
    await backend.close()
    throw error
  }
}

/** Who holds the directory, if that process lives. */
export function readOwner(dir: string): Owner | undefined {
  try {
    const owner = JSON.parse(readFileSync(join(dir, 'owner.json'), 'utf8')) as Owner
    return isAlive(owner.pid) ? owner : undefined
  } catch {
    return undefined
  }
}

/** With those above it. Node's own `recursive` does not come back from a place where nothing can be made, such as /proc. */
function makeDirectory(path: string): void {
  if (existsSync(path)) return
  makeDirectory(dirname(path))
  mkdirSync(path, { recursive: false })
}

/** Checks what is there, and makes a new directory. */
function prepare(path: string, format: number, migrations: Migrations): Format {
  let names: string[]
  try {
    makeDirectory(path)
    names = readdirSync(path)
  } catch (cause) {
    const what = `${path} cannot be used as a directory: ${(cause as Error).message}`
    throw new DhaaraError('DHAARA_STATE_IO', `${what}. Give another one, or correct its permissions`, { cause })
  }
  if (!names.includes('dhaara.json')) {
    const others = names.filter((name) => name !== 'dhaara.json.new' && name !== 'lost+found')
    if (others.length > 0) {
      throw corrupt(
        path,
        `it holds ${others.slice(0, 3).join(', ')} but no dhaara.json, so it is none of dhaara's, or damaged`,
      )
    }
    const made = { format, ready: false }
    writeJson(path, 'dhaara.json', made)
    return made
  }
  const found = readFormat(path)
  if (found.format > format || (found.format < format && !reaches(found.format, format, migrations))) {
    const [age, cure] = found.format > format ? ['newer', 'a newer'] : ['too old a', 'an older']
    throw new DhaaraError(
      'DHAARA_STATE_VERSION',
      `${path} has format ${found.format}, written by a ${age} version; this one reads ${format}. ` +
        `Use ${cure} dhaara, or move the state over with a savepoint`,
    )
  }
  if (found.ready && !existsSync(join(path, 'db', 'CURRENT'))) throw corrupt(path, 'its database (db/CURRENT) is gone')
  return found
}

/** The database drops what it cannot read at the end of its write-ahead log without a word: as after a crash. */
function holdToWrites(path: string, { writes }: Format, backend: RocksBackend): void {
  const found = backend.writes
  if (writes === undefined || found >= writes) return
  const what = `${path} holds ${found} of the ${writes} rows that were written until it was closed: the end of its write-ahead log (db/*.log) is damaged or gone`
  const cure = `Restore it from a copy or a savepoint; to go on without what is lost, take "writes" out of its dhaara.json`
  throw new DhaaraError('DHAARA_STATE_CORRUPT', `${what}. ${cure}`)
}

/** A disk that is full keeps nobody from closing. */
function sign(path: string, format: number, backend: RocksBackend): void {
  try {
    // what is signed is to outlive a loss of power
    const batch = backend.batch()
    batch.delete(Buffer.of(0))
    batch.commit({ sync: true })
    writeJson(path, 'dhaara.json', { format, ready: true, writes: backend.writes } satisfies Format)
  } catch {
    // it is opened as after a crash
  }
}

function readFormat(path: string): Format {
  const text = readFileSync(join(path, 'dhaara.json'), 'utf8')
  try {
    const { format, ready, writes } = JSON.parse(text) as Partial<Format>
    const signed = Number.isInteger(writes) ? { writes: writes as number } : {}
    if (Number.isInteger(format) && typeof ready === 'boolean') return { format: format as number, ready, ...signed }
  } catch {
    // told below
  }
  throw corrupt(path, `its dhaara.json is unreadable: '${text.slice(0, 40)}'`)
}

function reaches(from: number, to: number, migrations: Migrations): boolean {
  for (let format = from; format < to; format++) if (!migrations.has(format)) return false
  return true
}

async function explain(error: Error, path: string): Promise<Error> {
  if (!(error instanceof DhaaraError)) return error
  if (error.code === 'DHAARA_STATE_MISSING') return corrupt(path, 'files of its database are gone', error)
  if (error.code !== 'DHAARA_STATE_LOCKED') return error
  if (isOurs(error)) return new DhaaraError('DHAARA_STATE_LOCKED', `${path} is held by ${us()}`, { cause: error })
  let owner = readOwner(path)
  // An owner that has just come writes its name a moment after it has locked the database.
  for (let i = 0; i < 20 && owner === undefined; i++) {
    await setTimeout(25)
    owner = readOwner(path)
  }
  return new DhaaraError('DHAARA_STATE_LOCKED', `${path} is held by ${whose(owner)}`, { cause: error })
}

function whose(owner: Owner | undefined): string {
  if (owner === undefined) return 'another process, which has not left its id. Stop it, or give another directory'
  if (owner.pid === process.pid) return us()
  return (
    `process ${owner.pid}, since ${owner.since}. Stop it (kill ${owner.pid}), give another directory, ` +
    `or go through it: dhaara topics, produce, consume and query do`
  )
}

/** Also while it is being closed, when it has taken its name away. */
function isOurs({ cause }: DhaaraError): boolean {
  return cause instanceof Error && cause.message.includes('by current process')
}

function us(): string {
  return `this process (pid ${process.pid}) already. Share one embeddedBroker object between the apps of a process, or await close()`
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function corrupt(path: string, what: string, cause?: unknown): DhaaraError {
  return new DhaaraError(
    'DHAARA_STATE_CORRUPT',
    `${path} cannot be opened: ${what}. Restore it from a copy or a savepoint, or give an empty directory`,
    { cause },
  )
}

/** In one step, so that nobody reads half a file. */
function writeJson(path: string, name: string, content: object): void {
  const file = join(path, name)
  writeFileSync(`${file}.new`, `${JSON.stringify(content)}\n`, { flush: true })
  renameSync(`${file}.new`, file)
}
