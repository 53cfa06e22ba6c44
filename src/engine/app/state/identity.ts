import type { Backend, BackendReader, WriteBatch } from '../../../state/backend.ts'
import { STATE_SPACE } from '../../../state/stores/index.ts'
import { DhaaraError } from '../../../errors/index.ts'

/**
 * Numbers for names: a store is two bytes in a key, whatever it is called. Kept in the database for all apps on it:
 *
 *     0x02 0xff 0xff | app / store  ->  id
 */
export class StoreIds {
  private readonly backend: Backend
  private readonly app: string
  private readonly ids = new Map<string, number>()
  private next = 1

  constructor(backend: Backend, app: string) {
    this.backend = backend
    this.app = app
    for (const [key, value] of backend.range({ gte: prefix, lt: end })) {
      const name = Buffer.from(key.subarray(prefix.length)).toString()
      const id = Buffer.from(value).readUInt16BE(0)
      this.next = Math.max(this.next, id + 1)
      this.ids.set(name, id)
    }
  }

  idOf(store: string): number {
    const name = `${this.app}/${store}`
    const known = this.ids.get(name)
    if (known !== undefined) return known
    const id = this.fresh()
    const value = Buffer.alloc(2)
    value.writeUInt16BE(id)
    const batch = this.backend.batch()
    batch.put(Buffer.concat([prefix, Buffer.from(name)]), value)
    batch.commit()
    this.ids.set(name, id)
    return id
  }

  /** undefined: the store has never had a row. */
  find(store: string): number | undefined {
    return this.ids.get(`${this.app}/${store}`)
  }

  /** A number that no store has, and no later call gives; rows may lie there that nobody knows. */
  fresh(): number {
    const id = this.next++
    if (id >= 0xffff) throw new DhaaraError('DHAARA_INTERNAL', 'a directory can hold 65534 stores')
    return id
  }

  /** With this batch the stores have other numbers. */
  swap(stores: ReadonlyMap<string, number>, batch: WriteBatch): void {
    for (const [store, id] of stores) {
      const name = `${this.app}/${store}`
      const value = Buffer.alloc(2)
      value.writeUInt16BE(id)
      batch.put(Buffer.concat([prefix, Buffer.from(name)]), value)
      this.ids.set(name, id)
    }
  }

  /** The store keeps its number, and its rows. */
  rename(store: string, now: string): void {
    const id = this.find(store)
    if (id === undefined) return
    const batch = this.backend.batch()
    batch.delete(Buffer.concat([prefix, Buffer.from(`${this.app}/${store}`)]))
    const value = Buffer.alloc(2)
    value.writeUInt16BE(id)
    batch.put(Buffer.concat([prefix, Buffer.from(`${this.app}/${now}`)]), value)
    batch.commit()
    this.ids.delete(`${this.app}/${store}`)
    this.ids.set(`${this.app}/${now}`, id)
  }

  /** Its rows must be gone. */
  forget(store: string): void {
    const batch = this.backend.batch()
    batch.delete(Buffer.concat([prefix, Buffer.from(`${this.app}/${store}`)]))
    batch.commit()
    this.ids.delete(`${this.app}/${store}`)
  }

  /** Of this app: store -> id. */
  all(): Map<string, number> {
    const own = `${this.app}/`
    return new Map(
      [...this.ids].filter(([name]) => name.startsWith(own)).map(([name, id]) => [name.slice(own.length), id]),
    )
  }
}

/** All apps of a database, with their stores: app -> store -> id. Takes no ids. */
export function appsOf(reader: BackendReader): Map<string, Map<string, number>> {
  const apps = new Map<string, Map<string, number>>()
  for (const [key, value] of reader.range({ gte: prefix, lt: end })) {
    const name = Buffer.from(key.subarray(prefix.length)).toString()
    const at = name.indexOf('/')
    const stores = apps.get(name.slice(0, at)) ?? new Map<string, number>()
    stores.set(name.slice(at + 1), Buffer.from(value).readUInt16BE(0))
    apps.set(name.slice(0, at), stores)
  }
  return apps
}

/** Forgets the names of an app's stores; their rows must be gone. */
export function forgetApp(backend: Backend, app: string): void {
  const batch = backend.batch()
  const names = Buffer.concat([prefix, Buffer.from(`${app}/`)])
  for (const [key] of backend.range({ gte: names, lt: end }))
    if (Buffer.from(key.subarray(0, names.length)).equals(names)) batch.delete(key)
  batch.commit()
}

const prefix = Buffer.of(STATE_SPACE, 0xff, 0xff)
const end = Buffer.of(STATE_SPACE + 1)
