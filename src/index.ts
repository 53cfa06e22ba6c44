/** Everything a user of dhaara imports, but for `dhaara/testing`. */

export type { Broker, OutputRecord, Producer } from './connectors/broker/index.ts'
export {
  connectDirectory,
  type DirectoryClient,
  type EmbeddedBrokerOptions,
  embeddedBroker,
} from './connectors/embedded/index.ts'
export { type KafkaBrokerOptions, kafkaBroker } from './connectors/kafka/index.ts'
export {
  type AvroOptions,
  type JsonSchemaOptions,
  type ProtobufOptions,
  type SchemaReference,
  type SchemaRegistry,
  type SchemaRegistryOptions,
  schemaRegistry,
  type SubjectName,
  type SubjectOptions,
} from './connectors/registry/index.ts'
export {
  type Aggregator,
  type AggregatorKind,
  type AggregatorResults,
  aggregators,
  approxDistinct,
  avg,
  collect,
  count,
  distinct,
  first,
  latest,
  max,
  min,
  quantile,
  sum,
  topK,
} from './dsl/aggregators/index.ts'
export type { AsyncCall, AsyncOptions, Breaker, Retry } from './dsl/async/types.ts'
export {
  type ErrorAction,
  type NullKeys,
  type SourceOptions,
  StreamsBuilder,
  type TableSourceOptions,
} from './dsl/builder/index.ts'
export type { CogroupedStream, WindowedCogroup } from './dsl/cogroup/types.ts'
export type {
  ConnectorRetry,
  OwnSerdeOptions,
  OwnSinkOptions,
  OwnSourceOptions,
  Sink,
  SinkBatch,
  SinkConnector,
  SinkTask,
  Source,
  SourceBatch,
  SourceColumns,
  SourceItem,
  SourceRecord,
  SourceTask,
} from './dsl/connect/index.ts'
export type { KGroupedStream } from './dsl/grouped/types.ts'
export type { MatchedStream, MatchOptions } from './dsl/match/types.ts'
export type {
  AggregateOptions,
  ReduceOptions,
  SerdeOptions,
  StateOptions,
  StepOptions,
  StoreOptions,
} from './dsl/options.ts'
export {
  AfterMatchSkip,
  allOf,
  anyOf,
  type MatchInfo,
  type MatchOf,
  Pattern,
  type PatternChain,
  type PatternContext,
  type PatternStart,
  type PatternStep,
  pattern,
  type QuantifierOptions,
} from './dsl/pattern/index.ts'
export type {
  BroadcastRules,
  ForwardOptions,
  ProcessOptions,
  Processor,
  ProcessorContext,
  StateContext,
  ValueProcessorContext,
} from './dsl/process/types.ts'
export type { Fn, HeadersInit, HeadersView, RawRecord, RecordCopy, RecordView } from './dsl/records.ts'
export {
  type FieldsOf,
  type JsonFields,
  type JsonFieldType,
  type KeyOrder,
  type OrderedKey,
  type OrderedSerde,
  type OrderOf,
  type Serde,
  type Serializer,
  type StandardSchema,
  serdes,
} from './dsl/serdes/index.ts'
export type { Split } from './dsl/split/types.ts'
export {
  type KeyRanges,
  type KeyValueHandle,
  type KeyValueReader,
  type KeyValueStore,
  type ListHandle,
  type ListStore,
  type PrefixOf,
  type StoreHandle,
  type StoreOf,
  stores,
  type TableHandle,
  type TableStoreHandle,
  type VersionedHandle,
  type VersionedStore,
  type WindowHandle,
  type WindowStore,
} from './dsl/stores/index.ts'
export type { KStream, Partitioner, SinkOptions, StreamJoinOptions, TableJoinOptions } from './dsl/stream/types.ts'
export { type UntilTimeLimit, type UntilWindowCloses, untilTimeLimit, untilWindowCloses } from './dsl/suppress/index.ts'
export type { GlobalKTable, KGroupedTable, KTable } from './dsl/table/types.ts'
export {
  type CalendarPeriod,
  type Clock,
  type Duration,
  type DurationText,
  duration,
  type Timestamp,
} from './dsl/time/index.ts'
export type { Topology } from './dsl/topology/index.ts'
export { type WatermarkFactory, type WatermarkStrategy, watermarks } from './dsl/watermarks/index.ts'
export type { LateOptions, LateSink, WindowedStream } from './dsl/windowed/types.ts'
export {
  type EmitMode,
  type Every,
  every,
  type JoinWindows,
  type JoinWindowsWithoutGrace,
  joinWindows,
  type WallClockWindow,
  type Window,
  type Windowed,
  type WindowFactory,
  type WindowKind,
  type WindowOptions,
  type Windows,
  type WindowsWithoutGrace,
  windows,
} from './dsl/windows/index.ts'
export { type AppEvents, StreamsApp } from './engine/app/app.ts'
export type { Logger } from './engine/app/settings/logger.ts'
export type { TopologyEnv, TopologyModule, WorkerEnv } from './engine/app/module.ts'
export type { AppOptions, ErrorPolicy, Program } from './engine/app/settings/options.ts'
export type { Savepoint } from './engine/app/state/savepoint.ts'
export type { RunSummary } from './engine/app/summary.ts'
export { type MatcherResult, PatternMatcher } from './engine/cep/index.ts'
export type {
  AnyStoreQuery,
  Change,
  CountOptions,
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
} from './engine/query/index.ts'
export type { AppState } from './engine/runtime/lifecycle.ts'
export { DhaaraError, type ErrorCode, type ErrorDomain, PatternError, TopologyError } from './errors/index.ts'
