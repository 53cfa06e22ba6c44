/** `dhaara/connectors`: sources and sinks that come with dhaara. What they need beside it is loaded when they are opened. */
export { connectors } from './catalogue.ts'
export {
  type CsvPosition,
  type CsvSinkOptions,
  type CsvSourceOptions,
  type CsvType,
  csvSink,
  csvSource,
  type FilePosition,
  type JsonLinesSinkOptions,
  type JsonLinesSourceOptions,
  jsonLinesSink,
  jsonLinesSource,
} from './files/index.ts'
export type { ConnectorInfo, OptionRow } from './options/index.ts'
export { type PostgresSinkOptions, postgresSink } from './postgres/index.ts'
export {
  type JournalPosition,
  type WebhookSinkOptions,
  type WebhookSourceOptions,
  webhookSink,
  webhookSource,
} from './webhook/index.ts'
export {
  type ArrowPosition,
  type ArrowSinkOptions,
  type ArrowSourceOptions,
  type ArrowType,
  arrowSink,
  arrowSource,
} from './arrow/index.ts'
