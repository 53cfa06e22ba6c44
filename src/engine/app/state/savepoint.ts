/**
 * Savepoints: all state of an app, as files that no database is needed to read.
 *
 *     savepoint.json            {format, version, app, createdAt, manifest, positions, stores: [{name, files: [{partition, file, rows, sha256}]}]}
 *     0001-counts.0.jsonl       one row a line: ["key", "value"], base64
 *
 * A row's key is that of the store without its number and partition, its value as the store's codec wrote it; timers,
 * positions, watermarks and what was in flight are rows of stores, too. So a savepoint knows neither the back end nor how
 * many workers there were. The app that starts on it spreads its rows over the partitions that there are then
 * (`engine/rescale`).
 */
import { createHash } from 'node:crypto'
import { createReadStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { DhaaraError } from '../../../errors/index.ts'
import type { Backend } from '../../../state/backend.ts'
import { decodeValue } from '../../../state/codec/index.ts'
import { after, STATE_SPACE, statePrefix } from '../../../state/stores/index.ts'
import { derivedStores } from '../../query/index.ts'
import type { Positions } from '../../rescale/index.ts'
import { TASKS } from '../../runtime/tasks/task-rows.ts'
import { taskRowOf } from '../../runtime/tasks/in-flight-rows.ts'
import type { TaskMeta } from '../../runtime/tasks/task-meta.ts'
import { StoreIds } from './identity.ts'
import { type Manifest, putManifest, savedManifest } from './manifest.ts'

/** The request by which another process has a running app write a savepoint: {folder}. */
export const savepointRequest = (app: string): string => `app.savepoint/${app}`

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
  /** How far each partition of each topic was read: topic -> offsets by partition, -1 where nobody reads it. */
  readonly positions: Readonly<Record<string, readonly number[]>>
  readonly stores: readonly { readonly name: string; readonly files: readonly StoreFile[] }[]
}

const ROWS_AT_ONCE = 10_000
const BYTES_AT_ONCE = 1 << 20

const storeStart = (id: number): Buffer => Buffer.of(STATE_SPACE, id >> 8, id & 0xff)

/**
 * Writes a savepoint: state as it is at this moment, which is that of the last checkpoint, whatever is written meanwhile.
 * @param folder made for it; must not exist
 * @param nameOf what a store of the database is called there; undefined: it is left out
 * @throws DhaaraError DHAARA_SAVEPOINT if there is no such app, or the folder is there already
 */
export async function createSavepoint(
  backend: Backend,
  app: string,
  folder: string,
  now: number,
  nameOf: (store: string) => string | undefined = (store) => store,
): Promise<Savepoint> {
  const manifest = savedManifest(backend, app)
  if (manifest === undefined) throw refused(`found no state of '${app}'; run it first, or name another app`)
  try {
    mkdirSync(dirname(folder), { recursive: true })
    mkdirSync(folder)
  } catch (cause) {
    throw refused(`could not make the folder ${folder}: ${(cause as Error).message}; choose one that does not exist`)
  }
  const stores = new Map<number, { name: string; files: StoreFile[] }>()
  const ids = new StoreIds(backend, app)
  const derived = derivedStores(backend, (name) => ids.find(name))
  for (const [name, id] of [...ids.all()].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const shown = derived.has(name) ? undefined : nameOf(name)
    if (shown !== undefined) stores.set(id, { name: shown, files: [] })
  }
  const order = [...stores.keys()]
  const positions: Record<string, number[]> = {}
  let file: RowFile | undefined
  // one look at all rows, so that they are of one moment
  const [first, last] = [Math.min(...order, 0xffff), Math.max(...order, 0)]
  for (const [key, value] of backend.range({ gte: storeStart(first), lt: after(storeStart(last)) })) {
    const id = ((key[1] as number) << 8) | (key[2] as number)
    const partition = ((key[3] as number) << 8) | (key[4] as number)
    const store = stores.get(id)
    if (store === undefined) continue
    if (file?.id !== id || file.partition !== partition) {
      if (file !== undefined) stores.get(file.id)?.files.push(await file.end())
      const name = `${String(order.indexOf(id)).padStart(4, '0')}-${store.name.replaceAll(/[^\w.-]/g, '_')}.${partition}.jsonl`
      file = await RowFile.make(folder, name, id, partition)
    }
    if (store.name === TASKS) note(positions, key.subarray(5), value)
    file.add(key.subarray(5), value)
    if (file.full) await file.flush()
  }
  if (file !== undefined) stores.get(file.id)?.files.push(await file.end())
  const createdAt = new Date(now).toISOString()
  const savepoint: Savepoint = {
    format: 'dhaara-savepoint',
    version: 1,
    app,
    createdAt,
    manifest,
    positions,
    stores: byName([...stores.values()]),
  }
  writeFileSync(join(folder, 'savepoint.json'), `${JSON.stringify(savepoint, undefined, 2)}\n`)
  return savepoint
}

/** Stores of one name are one. */
const byName = (
  stores: readonly { readonly name: string; readonly files: readonly StoreFile[] }[],
): Savepoint['stores'] =>
  Array.from(
    Map.groupBy(stores, ({ name }) => name),
    ([name, parts]) => ({ name, files: parts.flatMap(({ files }) => files) }),
  )

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
 * @param positions whether the app goes on where it was, or where its topics begin or end. Topics with another number of
 *   partitions than those that were read are other topics, and are read from their beginning
 * @throws DhaaraError DHAARA_SAVEPOINT if there is state, or a file is not what was written; nothing can be started then
 */
export async function restoreSavepoint(
  backend: Backend,
  app: string,
  folder: string,
  positions: Positions = 'keep',
): Promise<Savepoint> {
  const savepoint = readSavepoint(folder)
  if (savedManifest(backend, app) !== undefined)
    throw refused(`found state of '${app}', expected none; drop it first: dhaara reset --application-id ${app}`)
  const ids = new StoreIds(backend, app)
  for (const { name, files } of savepoint.stores) {
    const id = ids.idOf(name)
    backend.clearRange(storeStart(id), after(storeStart(id)))
    for (const one of files) await readRows(backend, statePrefix(id, one.partition), join(folder, one.file), one)
  }
  // last: without it there is no state to start on
  putManifest(backend, app, { ...savepoint.manifest, restored: { positions } })
  return savepoint
}

/** Takes down how far a task has read its topics: the lowest offset of all who read a partition. */
function note(positions: Record<string, number[]>, name: Uint8Array, row: Uint8Array): void {
  if (taskRowOf(Buffer.from(name).toString()).inFlight) return
  for (const [, topic, partition, offset] of (decodeValue(row) as TaskMeta).positions) {
    const offsets = (positions[topic] ??= [])
    while (offsets.length <= partition) offsets.push(-1)
    const known = offsets[partition] as number
    offsets[partition] = known < 0 ? offset : Math.min(known, offset)
  }
}

/** The file of one store and partition. */
class RowFile {
  readonly id: number
  readonly partition: number
  private readonly name: string
  private readonly file: FileHandle
  private readonly hash = createHash('sha256')
  private rows = 0
  private text = ''

  private constructor(name: string, file: FileHandle, id: number, partition: number) {
    this.name = name
    this.file = file
    this.id = id
    this.partition = partition
  }

  static async make(folder: string, name: string, id: number, partition: number): Promise<RowFile> {
    return new RowFile(name, await open(join(folder, name), 'wx'), id, partition)
  }

  add(key: Uint8Array, value: Uint8Array): void {
    this.text += `${JSON.stringify([base64(key), base64(value)])}\n`
    this.rows++
  }

  get full(): boolean {
    return this.text.length > BYTES_AT_ONCE
  }

  async flush(): Promise<void> {
    const { text } = this
    this.text = ''
    this.hash.update(text)
    await this.file.write(text)
  }

  async end(): Promise<StoreFile> {
    const { partition, name } = this
    try {
      await this.flush()
      await this.file.sync()
    } finally {
      await this.file.close()
    }
    return { partition, file: name, rows: this.rows, sha256: this.hash.digest('hex') }
  }
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
