export { MemoryBackend } from './memory.ts'
export {
  borrowRocks,
  openRocks,
  readRocks,
  RocksBackend,
  RocksBorrower,
  type RocksOptions,
  RocksReader,
} from './rocksdb.ts'
export { rocksdbPlatforms } from './rocksdb-binding.ts'
export type { SharedHandle } from './shared-handle.ts'
