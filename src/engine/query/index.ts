export { type Cells, cellsOf, csvText, type JsonRow } from './cells.ts'
export { answerLatest, type AskOwner, LatestRows } from './latest.ts'
export { Changes, type RawChange, type Watch } from './changes.ts'
export { observed } from './observed.ts'
export { CommittedRows, storedPartitions } from './committed.ts'
export { type StoreLayout, storeLayout } from './layout.ts'
export { type Packed, packRaw, unpackRaw } from './packed.ts'
export { Queries, type QueryParts } from './queries.ts'
export type { RawQuery, RawRows, RawValues, RowSource } from './raw.ts'
export { type OpenStore, StoreQuery } from './store-query.ts'
export { toJson } from './to-json.ts'
export type {
  AnyStoreQuery,
  CountOptions,
  Change,
  KeyValueQuery,
  KeyValueQueryBase,
  ListQuery,
  Observed,
  ObserveOptions,
  QueryOf,
  QueryOptions,
  RangeQuery,
  Scan,
  ScanOptions,
  Subscription,
  WindowQuery,
} from './types.ts'
export { Indexes } from './indexes.ts'
export { Applied, type Progress, type TaskFlows } from './applied.ts'
export { arrowStream, arrowType } from './arrow.ts'
