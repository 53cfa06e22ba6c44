export {
  type KeyCodec,
  msgpackValues,
  septetValues,
  serdeKeys,
  serdeValues,
  timestampOf,
  typedKeys,
  type ValueCodec,
} from './codecs.ts'
export { CachePool, type CacheShare } from './cache-pool.ts'
export { type Armed, DueTable } from './due.ts'
export { DuePane, duePaneValues } from './due-pane.ts'
export { DueIndex } from './due-index.ts'
export { Entry } from './entry.ts'
export { ExpiringTable, type Lease } from './expiring.ts'
export { Held, heldValues } from './held.ts'
export { JoinGroup, Kept } from './join-group.ts'
export { JoinTable } from './join.ts'
export { type Cell, Cells, cellValues } from './cells.ts'
export { KeyValueTable } from './key-value.ts'
export { headRowKey, type PartClient, type PartKind, partRange, PartTable } from './parts.ts'
export { after, concat, readTime, type Sealer, STATE_SPACE, type StoreSpace, statePrefix, writeTime } from './space.ts'
export { roughBytes } from './rough-bytes.ts'
export { RowWriter } from './row-writer.ts'
export { Session, Sessions, SessionTable, type Shown } from './session.ts'
export { Ticked, tickedValues } from './ticked.ts'
export { type Subscription, SubscriptionTable } from './subscriptions.ts'
export { pastStore, stretchOf, VersionedTable, type Versions, versionedValues } from './versioned.ts'
export { Bucket, WindowTable } from './window.ts'
