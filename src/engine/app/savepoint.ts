/**
 * Savepoints: all state of an app, as files that no database is needed to read.
 *
 *     savepoint.json            {format, version, app, createdAt, manifest, stores: [{name, files: [{partition, file, rows, sha256}]}]}
 *     0001-counts.0.jsonl       one row a line: ["key", "value"], base64
 *
 * A row's key is that of the store without its number and partition, its value as the store's codec wrote it; timers,
 * positions, watermarks and what was in flight are rows of stores, too. So a savepoint knows neither the back end nor how
 * many workers there were; partitions are those of the topics.
 */
import { createHash } from 'node:crypto'
import { createReadStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DhaaraError } from '../../errors/index.ts'
import type { Backend } from '../../state/backend.ts'
import { after, STATE_SPACE, statePrefix } from '../../state/stores/index.ts'
import { StoreIds } from './identity.ts'
import { type Manifest, putManifest, savedManifest } from './manifest.ts'

interface StoreFile {
  readonly partition: number
  readonly file: string
  readonly rows: number
  readonly sha256: string
}

export interface Savepoint {
  readonly format: 'dhaara-savepoint'
  readonly version: 1
  readonly app: string
  /** ISO 8601. */
  readonly createdAt: string
  readonly manifest: Manifest
  readonly stores: readonly { readonly name: string; readonly files: readonly StoreFile[] }[]
}

const ROWS_AT_ONCE = 10_000

/**
 * Writes a savepoint of an app that does not run.
 * @param folder made for it; must not exist
 * @throws DhaaraError DHAARA_SAVEPOINT if there is no such app, or the folder is there already
 */
export async function createSavepoint(backend: Backend, app: string, folder: string, now: number): Promise<Savepoint> {
  const manifest = savedManifest(backend, app)
  if (manifest === undefined) throw refused(`found no state of '${app}'; run it first, or name another app`)
  try {
    mkdirSync(folder, { recursive: false })
  } catch (cause) {
    throw refused(`could not make the folder ${folder}: ${(cause as Error).message}; choose one that does not exist`)
  }
  const stores: { name: string; files: StoreFile[] }[] = []
  const all = [...new StoreIds(backend, app).all()].sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [i, [name, id]] of all.entries()) {
    const files: StoreFile[] = []
    for (const partition of partitionsOf(backend, id)) {
      const file = `${String(i).padStart(4, '0')}-${name.replaceAll(/[^\w.-]/g, '_')}.${partition}.jsonl`
      files.push({ partition, file, ...(await writeRows(backend, statePrefix(id, partition), join(folder, file))) })
    }
    stores.push({ name, files })
  }
  const createdAt = new Date(now).toISOString()
  const savepoint: Savepoint = { format: 'dhaara-savepoint', version: 1, app, createdAt, manifest, stores }
  writeFileSync(join(folder, 'savepoint.json'), `${JSON.stringify(savepoint, undefined, 2)}\n`)
  return savepoint
}

/** @throws DhaaraError DHAARA_SAVEPOINT if there is none, or one of another format */
export function readSavepoint(folder: string): Savepoint {
  let data: Partial<Savepoint>
  try {
    data = JSON.parse(readFileSync(join(folder, 'savepoint.json'), 'utf8')) as Partial<Savepoint>
  } catch (cause) {
    throw refused(`found no savepoint in ${folder}: ${(cause as Error).message}`)
  }
  if (data.format === 'dhaara-savepoint' && data.version === 1) return data as Savepoint
  throw refused(`found format ${data.format} ${data.version} in ${folder}, expected dhaara-savepoint 1`)
}

/**
 * Puts a savepoint in the place of an app's state, which must be gone. The topology that starts on it may be another version:
 * it is held to the savepoint's manifest as to any state.
 * @param app may be another than the savepoint's
 * @throws DhaaraError DHAARA_SAVEPOINT if there is state, or a file is not what was written; nothing can be started then
 */
export async function restoreSavepoint(backend: Backend, app: string, folder: string): Promise<Savepoint> {
  const savepoint = readSavepoint(folder)
  if (savedManifest(backend, app) !== undefined)
    throw refused(`found state of '${app}', expected none; drop it first: dhaara reset --application-id ${app}`)
  const ids = new StoreIds(backend, app)
  for (const { name, files } of savepoint.stores) {
    const id = ids.idOf(name)
    const start = Buffer.of(STATE_SPACE, id >> 8, id & 0xff)
    backend.clearRange(start, after(start))
    for (const one of files) await readRows(backend, statePrefix(id, one.partition), join(folder, one.file), one)
  }
  // last: without it there is no state to start on
  putManifest(backend, app, savepoint.manifest)
  return savepoint
}

/** Partitions of which a store has rows: one seek each. */
function partitionsOf(backend: Backend, id: number): number[] {
  const found: number[] = []
  const end = after(Buffer.of(STATE_SPACE, id >> 8, id & 0xff))
  for (let next = 0; next <= 0xffff; ) {
    let partition: number | undefined
    for (const [key] of backend.range({ gte: statePrefix(id, next), lt: end, limit: 1 }))
      partition = ((key[3] as number) << 8) | (key[4] as number)
    if (partition === undefined) return found
    found.push(partition)
    next = partition + 1
  }
  return found
}

async function writeRows(backend: Backend, prefix: Buffer, path: string): Promise<{ rows: number; sha256: string }> {
  const hash = createHash('sha256')
  const file = await open(path, 'wx')
  let rows = 0
  let text = ''
  const flush = async (): Promise<void> => {
    hash.update(text)
    await file.write(text)
    text = ''
  }
  try {
    for (const [key, value] of backend.range({ gte: prefix, lt: after(prefix) })) {
      text += `${JSON.stringify([base64(key.subarray(prefix.length)), base64(value)])}\n`
      if (++rows % ROWS_AT_ONCE === 0) await flush()
    }
    await flush()
    await file.sync()
  } finally {
    await file.close()
  }
  return { rows, sha256: hash.digest('hex') }
}

async function readRows(backend: Backend, prefix: Buffer, path: string, { rows, sha256 }: StoreFile): Promise<void> {
  const hash = createHash('sha256')
  let batch = backend.batch()
  let found = 0
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    hash.update(`${line}\n`)
    const [key, value] = JSON.parse(line) as [string, string]
    batch.put(Buffer.concat([prefix, Buffer.from(key, 'base64')]), Buffer.from(value, 'base64'))
    if (++found % ROWS_AT_ONCE !== 0) continue
    batch.commit()
    batch = backend.batch()
  }
  batch.commit({ sync: true })
  const digest = hash.digest('hex')
  if (found === rows && digest === sha256) return
  throw refused(`found ${found} rows (${digest}) in ${path}, expected ${rows} (${sha256}): the file has changed`)
}

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')

const refused = (message: string): DhaaraError => new DhaaraError('DHAARA_SAVEPOINT', `savepoint: ${message}`)
