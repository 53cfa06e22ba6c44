export {
  type Broker,
  type BrokerParts,
  type ConsumerOptions,
  type EmbeddedBroker,
  type EmbeddedLease,
  type EmbeddedMemory,
  isEmbedded,
  lease,
  type OutputRecord,
  openEmbedded,
  type Producer,
  type ProducerOptions,
  type ProducerRecord,
  type RecordHeadersInit,
  type RecordSerde,
  type RequestHandler,
} from './broker.ts'
export type {
  DeadLetter,
  LetterFilter,
  LetterPage,
  LettersDone,
  LettersRequest,
  LetterState,
} from './dead-letter.ts'
export { FrameBuilder, type FrameLimits } from './frame-builder.ts'
export type {
  Appended,
  FetchedBatch,
  LogTransaction,
  ApartTransaction,
  OwnedLog,
  ReadableLog,
  RecordHeaders,
  TopicConfig,
  TopicInfo,
} from './log.ts'
export { LogReader } from './log-reader.ts'
export { murmur2, partitionOf } from './partitioner.ts'
