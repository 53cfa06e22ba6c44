import { MemoryBackend } from '../../../src/state/backends/index.ts'
import {
  CachePool,
  KeyValueTable,
  msgpackValues,
  septetValues,
  statePrefix,
  typedKeys,
  WindowTable,
} from '../../../src/state/stores/index.ts'
import { Random } from '../../workload/random.ts'
import type { MicroCase } from './case.ts'

const perCall = 256
const keys = 10_000
const random = new Random(5)
const drawn = Array.from({ length: perCall * 64 }, () => `customer-${random.below(keys)}`)
let turn = 0
/** Another 256 keys each time. */
const some = (): readonly string[] => {
  turn = (turn + perCall) % drawn.length
  return drawn.slice(turn, turn + perCall)
}

const space = (store: number, values = msgpackValues) => ({
  reader: new MemoryBackend(),
  prefix: statePrefix(store, 0),
  keys: typedKeys,
  values,
  cache: new CachePool(1 << 26).share(),
})

const table = new KeyValueTable(space(1, septetValues), 1)
const windows = new WindowTable(space(2), 1)
const map = new Map<string, { count: number }>()

export const stores: readonly MicroCase[] = [
  {
    name: 'key-value store, read and write',
    perCall,
    against: 'Map, read and write',
    run() {
      for (const key of some()) {
        const entry = table.load(key)
        table.set(entry, { count: ((entry.value as { count: number } | undefined)?.count ?? 0) + 1 }, 0)
      }
      return table
    },
  },
  {
    name: 'Map, read and write',
    perCall,
    run() {
      for (const key of some()) map.set(key, { count: (map.get(key)?.count ?? 0) + 1 })
      return map
    },
  },
  {
    name: 'window store, read and write',
    perCall,
    against: 'Map, read and write',
    run() {
      const bucket = windows.bucket(0)
      for (const key of some()) {
        const entry = bucket.load(key)
        windows.set(bucket, entry, { count: ((entry.value as { count: number } | undefined)?.count ?? 0) + 1 }, 0)
      }
      return windows
    },
  },
]
