import type { Mutant } from './mutants.ts'

/** The ids that went into an aggregate. Changed in place by the operator, as aggregators may. */
export interface Aggregate {
  ids: number[]
}

interface Layer {
  readonly epoch: number
  /** What is handed to the coordinator. */
  readonly delta: Map<string, string | Aggregate | null>
  /** What reads see. */
  readonly visible: Map<string, string | Aggregate | null>
}

/** A read from the database that is under way. */
export interface Prefetch {
  readonly key: string
  readonly bytes: string | undefined
  readonly writes: number
}

const encode = (value: string | Aggregate | null): string | null =>
  value === null || typeof value === 'string' ? value : JSON.stringify(value)

const decode = (value: string | Aggregate): Aggregate => (typeof value === 'string' ? JSON.parse(value) : value)

/** One task's state: dirty, then sealed epochs (newest first), then clean, then the database (`stored`). */
export class Store {
  #dirty = new Map<string, Aggregate | null>()
  #sealed: Layer[] = []
  #clean = new Map<string, Aggregate>()
  #writes = 0
  readonly #stored: ReadonlyMap<string, string>
  readonly #mutant: Mutant | undefined

  constructor(stored: ReadonlyMap<string, string>, mutant: Mutant | undefined) {
    this.#stored = stored
    this.#mutant = mutant
  }

  /** Entries that are not in the database yet. */
  get unwritten(): number {
    return this.#sealed.reduce((sum, layer) => sum + layer.delta.size, this.#dirty.size)
  }

  get(key: string): Aggregate | undefined {
    const fresh = this.#unwrittenEntry(key)
    if (fresh !== undefined) return fresh === null ? undefined : decode(fresh)
    const clean = this.#clean.get(key)
    if (clean) return clean
    const bytes = this.#stored.get(key)
    if (bytes === undefined) return undefined
    const value = decode(bytes)
    this.#clean.set(key, value)
    return value
  }

  set(key: string, value: Aggregate | null): void {
    this.#dirty.set(key, value)
  }

  /** Keys with a prefix, in order: stored and unwritten merged, newest wins. */
  keys(prefix: string): string[] {
    const keys = new Set(this.#stored.keys())
    for (const layer of this.#sealed) for (const key of layer.visible.keys()) keys.add(key)
    for (const key of this.#dirty.keys()) keys.add(key)
    return [...keys].filter((key) => key.startsWith(prefix) && this.get(key) !== undefined).sort()
  }

  seal(epoch: number): void {
    const delta = new Map<string, string | Aggregate | null>(this.#dirty)
    if (this.#mutant !== 'sealByReference') for (const [key, value] of delta) delta.set(key, encode(value))
    this.#sealed.push({ epoch, delta, visible: new Map(delta) })
    this.#dirty = new Map()
  }

  /** The sealed epoch's changes as bytes. */
  delta(epoch: number): Map<string, string | null> {
    const layer = this.#sealed.find((each) => each.epoch === epoch)
    return new Map([...(layer?.delta ?? [])].map(([key, value]) => [key, encode(value)]))
  }

  /** The epoch is in the database: its entries become clean. */
  written(epoch: number): void {
    const index = this.#sealed.findIndex((each) => each.epoch === epoch)
    const [layer] = index < 0 ? [] : this.#sealed.splice(index, 1)
    this.#writes++
    if (this.#mutant === 'staleClean') return
    for (const [key, value] of layer?.delta ?? []) {
      if (value === null) this.#clean.delete(key)
      else this.#clean.set(key, decode(value))
    }
  }

  evict(pick: number): void {
    const map = this.#mutant === 'evictSealed' ? this.#sealed.at(-1)?.visible : this.#clean
    const keys = [...(map?.keys() ?? [])]
    const key = keys[pick % keys.length]
    if (key !== undefined) map?.delete(key)
  }

  prefetch(key: string): Prefetch {
    return { key, bytes: this.#stored.get(key), writes: this.#writes }
  }

  prefetched({ key, bytes, writes }: Prefetch): void {
    if (bytes === undefined || this.#unwrittenEntry(key) !== undefined) return
    if (this.#mutant !== 'stalePrefetch' && (writes !== this.#writes || this.#clean.has(key))) return
    this.#clean.set(key, decode(bytes))
  }

  #unwrittenEntry(key: string): string | Aggregate | null | undefined {
    const dirty = this.#dirty.get(key)
    if (dirty !== undefined) return dirty
    for (let i = this.#sealed.length - 1; i >= 0; i--) {
      const sealed = this.#sealed[i]?.visible.get(key)
      if (sealed === null && this.#mutant === 'tombstoneFallsThrough') continue
      if (sealed !== undefined) return sealed
    }
    return undefined
  }
}
