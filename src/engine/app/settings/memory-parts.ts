import type { EmbeddedMemory } from '../../../connectors/broker/broker.ts'

const MB = 1 << 20
/** The database reads back what memtables held when it is opened after a crash: more of them, longer starts. */
const mostMemtables = 32 * MB
const leastMemtables = 64 << 10
/** What the database's binding takes. */
const mostBlockCache = 2 ** 32 - 1

/** How the one limit of an app's memory is divided, bytes. */
export interface MemoryParts {
  /** Decoded rows, on the heaps of all threads. */
  readonly cache: number
  /** Blocks of the database. */
  readonly blockCache: number
  /** What the database has not put into files yet. */
  readonly memtables: number
  /** For records on their way: frames, and what goes between threads. */
  readonly transport: number
}

/**
 * The cache has half, or what `cacheBytes` says; of the rest the block cache has half, memtables up to a quarter.
 *
 *     512 MB   = 256 cache + 128 block cache + 32 memtables + 96 transport
 *      32 MB   =  16       +   8             +  4           +  4
 */
export function memoryParts(memoryBytes: number, cacheBytes = memoryBytes / 2): MemoryParts {
  const cache = Math.floor(cacheBytes)
  const rest = memoryBytes - cache
  const blockCache = Math.min(mostBlockCache, Math.floor(rest / 2))
  const memtables = Math.max(leastMemtables, Math.min(mostMemtables, Math.floor(rest / 4)))
  return { cache, blockCache, memtables, transport: Math.max(0, rest - blockCache - memtables) }
}

/** What a database may take of an app's memory. */
export function databaseMemory(given: { readonly memoryBytes: number; readonly cacheBytes: number }): EmbeddedMemory {
  const { blockCache, memtables } = memoryParts(given.memoryBytes, given.cacheBytes)
  return { cacheBytes: blockCache, memtableBytes: memtables }
}
