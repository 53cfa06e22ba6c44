/**
 * Every error that dhaara throws: code -> domain, retry hint, one-line summary.
 * Codes are stable: they are never renamed or reused. `docs/errors.md` and a test hold to this table.
 */
export type ErrorDomain = 'user' | 'data' | 'external' | 'internal'
/** One catalogue; codes are stable. */
export type ErrorCode = `DHAARA_${string}`

export interface CatalogueEntry {
  readonly domain: ErrorDomain
  readonly retryable: boolean
  readonly summary: string
}

const entry = (domain: ErrorDomain, summary: string, retryable = false): CatalogueEntry => ({
  domain,
  retryable,
  summary,
})

export const catalogue = {
  // arguments and options
  DHAARA_DURATION: entry('user', 'A duration is malformed, negative or not finite'),
  DHAARA_OPTION: entry('user', 'An option has a wrong value'),
  // topology
  DHAARA_TOPOLOGY: entry('user', 'A topology has problems; the error lists them all'),
  DHAARA_NAME_TAKEN: entry('user', 'Two steps or stores have one name'),
  DHAARA_NAME_INVALID: entry('user', 'A name has characters that topics and stores cannot have'),
  DHAARA_NAME_MISSING: entry('user', 'Naming is explicit, and a step with state has no name'),
  DHAARA_TOPIC_TWICE: entry('user', 'A topic is read as two sources with different options'),
  DHAARA_TABLE_TOPICS: entry('user', 'A table reads several topics'),
  DHAARA_SERDE_MISSING: entry('user', 'A source, sink or co-partitioned repartition has no serde'),
  DHAARA_COPARTITION: entry('user', 'Inputs of a join have different partition counts'),
  DHAARA_STORE_UNKNOWN: entry('user', 'A step names a store that the topology does not have'),
  DHAARA_JOIN_WINDOWS: entry('user', 'A join reads a table of windows whose rows do not tell when they are over'),
  DHAARA_SUPPRESS_WINDOWS: entry('user', 'A `suppress` waits for the end of windows that time does not close'),
  DHAARA_STORE_VERSIONED: entry('user', 'A table has no versioned store where one is needed, or where none can be'),
  // patterns
  DHAARA_PATTERN: entry('user', 'A pattern is malformed'),
  DHAARA_PATTERN_ARGUMENT: entry('user', 'A call of a pattern has an argument out of range'),
  DHAARA_PATTERN_UNSUPPORTED: entry('user', 'A pattern combines steps in a way that has no meaning'),
  DHAARA_PATTERN_SKIP: entry('user', 'A match has no event that its skip strategy can skip to'),
  DHAARA_PATTERN_FULL: entry('user', 'A key has as many partial matches as maxPartials allows'),
  // data
  DHAARA_DESERIALIZE: entry('data', 'Bytes could not be decoded'),
  DHAARA_SCHEMA: entry('data', 'A value was refused by its schema'),
  DHAARA_SCHEMA_ID: entry('data', 'A record has the id of a schema that the schema registry does not know'),
  DHAARA_TIMESTAMP: entry('data', 'A timestamp is no integer in range, or too far ahead of the clock'),
  DHAARA_KEY_NULL: entry('data', 'A record has no key where one is required'),
  // user code
  DHAARA_USER_CODE: entry('user', 'A user function threw'),
  DHAARA_MUTATION: entry('user', 'A user function changed what it was handed'),
  DHAARA_SERIALIZE: entry('user', 'A value could not be encoded by its serde'),
  // calls to other systems
  DHAARA_ASYNC_FAILED: entry('external', 'An asynchronous call failed, retries included', true),
  DHAARA_ASYNC_TIMEOUT: entry('external', 'An asynchronous call did not answer in time', true),
  DHAARA_BREAKER_OPEN: entry('external', 'A circuit breaker keeps calls away from a service that fails', true),
  DHAARA_REGISTRY: entry('external', 'The schema registry could not be asked, retries included', true),
  DHAARA_REGISTRY_AUTH: entry('external', 'The schema registry refused the credentials, or the right'),
  DHAARA_SCHEMA_SUBJECT: entry('external', 'The schema registry does not have a subject, or not this schema under it'),
  DHAARA_SCHEMA_INCOMPATIBLE: entry('external', 'The schema registry refuses a schema, or has one of another kind'),
  // sources and sinks of one's own
  DHAARA_SOURCE_FAILED: entry('external', 'A source could not be read, retries included', true),
  DHAARA_SOURCE_POSITION: entry('external', 'A source cannot be read from the position that a checkpoint has'),
  DHAARA_SOURCE_FULL: entry('external', 'A source that cannot be held back brings more than fits'),
  DHAARA_SOURCE_RECORD: entry('user', 'A source gave something that is no record'),
  DHAARA_SINK_FAILED: entry('external', 'A sink could not be written, retries included', true),
  DHAARA_SINK_STATE: entry('external', 'What a sink has written before does not belong to the state of the job'),
  DHAARA_SINK_RECORD: entry('data', 'A record does not fit what a sink writes to'),
  DHAARA_PEER_MISSING: entry('user', 'A package that a connector needs is not installed'),
  DHAARA_SINK_RECOVER: entry('user', 'A sink of two phases has no recover'),
  // state and platform
  DHAARA_PLATFORM: entry('external', 'No RocksDB binary for this platform'),
  DHAARA_STATE_LOCKED: entry('external', 'Another process holds the directory'),
  DHAARA_STATE_CORRUPT: entry('external', 'A state directory is damaged'),
  DHAARA_STATE_MISSING: entry('user', 'A state directory does not exist'),
  DHAARA_STATE_IO: entry('external', 'State could not be read or written', true),
  DHAARA_STATE_VERSION: entry('external', 'A state directory was written by another version'),
  DHAARA_STATE_INCOMPATIBLE: entry('user', 'The state belongs to another topology'),
  DHAARA_SAVEPOINT: entry('user', 'A savepoint could not be made, read or restored'),
  DHAARA_DISK_FULL: entry('external', 'No room is left for state or topics', true),
  DHAARA_SUPPRESS_FULL: entry('external', 'A suppressed table holds more rows back than its budget allows'),
  // broker
  DHAARA_OWNER_GONE: entry('external', 'The process that holds a directory has gone away, or does not answer', true),
  DHAARA_REQUEST_UNKNOWN: entry('user', 'The process that holds a directory does not know a request'),
  DHAARA_TOPIC_UNKNOWN: entry('external', 'A topic does not exist'),
  DHAARA_POSITION_NONE: entry('user', 'An app has no position in a topic whose source wants one'),
  DHAARA_TOPIC_REPLACED: entry('external', 'A topic was deleted and made again under the positions of an app'),
  DHAARA_TOPIC_PARTITIONS: entry('user', 'A topic exists with another number of partitions'),
  DHAARA_RECORD_TOO_LARGE: entry('data', 'A record is larger than the limit'),
  // Kafka
  DHAARA_KAFKA_CLIENT: entry('user', 'No client library for Kafka is installed, or another version than expected'),
  DHAARA_KAFKA_CONNECT: entry('external', 'No connection to a Kafka broker', true),
  DHAARA_KAFKA_AUTH: entry('external', 'A Kafka broker refused who asks, or what is asked for'),
  DHAARA_KAFKA_VERSION: entry(
    'external',
    'A Kafka broker does not speak a version of the protocol that is spoken here',
  ),
  DHAARA_KAFKA_PROTOCOL: entry('external', 'A Kafka broker answered what was not expected'),
  DHAARA_KAFKA_REQUEST: entry('external', 'A Kafka broker answered with an error'),
  DHAARA_KAFKA_CORRUPT: entry('external', 'Records from Kafka are damaged'),
  DHAARA_KAFKA_OFFSET: entry('external', 'A position in a Kafka topic no longer exists'),
  DHAARA_KAFKA_FENCED: entry('external', 'Another instance has taken over', true),
  DHAARA_KAFKA_TIMEOUT: entry('external', 'A Kafka broker did not answer in time', true),
  // app
  DHAARA_APP_STATE: entry('user', 'A call does not fit the state of the app'),
  DHAARA_QUERY: entry('user', 'A store cannot answer a query: its kind, its key order, or the query itself'),
  DHAARA_RESTORING: entry('external', 'The state that is asked for is being moved or restored; ask again', true),
  DHAARA_MOVED: entry(
    'external',
    'Rows are with another instance, which cannot be asked for them now; ask again',
    true,
  ),
  DHAARA_STEP_STUCK: entry('user', 'A function of the topology does not come back'),
  DHAARA_MODULE: entry('user', 'A topology module could not be loaded, or has no topology'),
  DHAARA_PLAN_UNEQUAL: entry('user', 'Workers built different plans from one module'),
  DHAARA_WORKER_DIED: entry('internal', 'A worker thread ended', true),
  DHAARA_INPUT: entry('external', 'An input of the command line could not be read'),
  DHAARA_OUTPUT: entry('external', 'An output of the command line could not be written'),
  DHAARA_INPUT_CHANGED: entry('user', 'An input file has changed where it was read already'),
  DHAARA_UNSUPPORTED: entry('user', 'A step cannot be run by this version'),
  DHAARA_INTERNAL: entry('internal', 'A defect in dhaara'),
} as const satisfies Record<ErrorCode, CatalogueEntry>

export type KnownCode = keyof typeof catalogue
