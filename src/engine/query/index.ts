export { checkRequest, jsonRowsByText, parseTime, type RowRequest, rowsRequest } from './by-text.ts'
export { type Cells, cellsOf, csvText, type JsonRow } from './cells.ts'
export { answerLatest, type AskOwner, LatestRows } from './latest.ts'
export { Changes, type RawChange, type Watch } from './changes.ts'
export { observed } from './observed.ts'
export { CommittedRows, storedPartitions } from './committed.ts'
export { type StoreLayout, storeLayout } from './layout.ts'
export { type Packed, packRaw, unpackRaw } from './packed.ts'
export { Queries, type QueryParts } from './queries.ts'
export type { RawQuery, RawRange, RawRows, RawValues, RawWindows, RowPages, RowSource } from './raw.ts'
export { mostBytes, oneKey, StoreQuery } from './store-query.ts'
export type { OpenStore } from './open-store.ts'
export { toJson } from './to-json.ts'
export { getByJson, getManyByJson } from './get-by-json.ts'
export { keysFromJson, type KeysFromJson } from './typed-key.ts'
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
export { derivedStores, Indexes, indexStore } from './indexes.ts'
export { type AnswerFrame, changeFrame, changeIn, frameKind, frameOf, framesIn, rowsFrame, rowsIn } from './frames.ts'
export { type OwnParts, OwnRows, type Question, type QuestionOf } from './question.ts'
export { type Places, RoutedRows } from './routed.ts'
export {
  type Begun,
  type Inbox,
  mergeChanges,
  type RowChange,
  type Watched,
  type WatchedRows,
  watchedOf,
  type WatchFrom,
  type WatchRows,
  watchRows,
} from './watch.ts'
export {
  Applied,
  checkPositions,
  type Positions,
  type Progress,
  type TaskFlows,
  type Waits,
  wayTo,
} from './applied.ts'
export { arrowStream, arrowType } from './arrow/stream.ts'
