export { ownSink } from './sink.ts'
export { type AnyOwnSource, ownSource } from './source.ts'
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
  ValueSource,
} from './types.ts'
