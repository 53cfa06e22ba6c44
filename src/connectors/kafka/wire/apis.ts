/** What is said to brokers, besides Fetch and Produce. Brokers from Apache Kafka 2.8 on understand all of it but the last. */
import {
  api,
  array,
  bool,
  bytes,
  int8,
  int16,
  int32,
  int64,
  noTopicId,
  nullableArray,
  nullableString,
  since,
  string,
  struct,
  tagged,
  until,
  uuid,
} from './schema.ts'

const throttled = { throttleMs: int32 }
const failed = { ...throttled, error: int16 }

export const apiVersions = api(
  18,
  'ApiVersions',
  [3, 3],
  struct({ name: string, version: string }),
  struct({
    error: int16,
    apis: array(struct({ key: int16, min: int16, max: int16 })),
    ...throttled,
    /** Counts changes of the features; -1: not known. */
    featuresEpoch: tagged(1, int64, -1),
    /** What the whole cluster has agreed on. */
    features: tagged(2, array(struct({ name: string, level: int16, lowest: int16 })), []),
  }),
)

export const metadata = api(
  3,
  'Metadata',
  [9, 12],
  struct({
    topics: nullableArray(struct({ id: since(10, uuid, noTopicId), name: nullableString })),
    createTopics: bool,
    clusterOperations: until(11, bool, false),
    topicOperations: bool,
  }),
  struct({
    ...throttled,
    brokers: array(struct({ id: int32, host: string, port: int32, rack: nullableString })),
    cluster: nullableString,
    controller: int32,
    topics: array(
      struct({
        error: int16,
        name: nullableString,
        id: since(10, uuid, noTopicId),
        internal: bool,
        partitions: array(
          struct({
            error: int16,
            partition: int32,
            leader: int32,
            leaderEpoch: int32,
            replicas: array(int32),
            inSync: array(int32),
            offline: array(int32),
          }),
        ),
        operations: int32,
      }),
    ),
    clusterOperations: until(11, int32, 0),
  }),
)

export const listOffsets = api(
  2,
  'ListOffsets',
  [6, 7],
  struct({
    replica: int32,
    isolation: int8,
    topics: array(
      struct({
        name: string,
        partitions: array(struct({ partition: int32, leaderEpoch: int32, timestamp: int64 })),
      }),
    ),
  }),
  struct({
    ...throttled,
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({ partition: int32, error: int16, timestamp: int64, offset: int64, leaderEpoch: int32 }),
        ),
      }),
    ),
  }),
)

export const findCoordinator = api(
  10,
  'FindCoordinator',
  [3, 3],
  struct({ key: string, type: int8 }),
  struct({ ...failed, message: nullableString, node: int32, host: string, port: int32 }),
)

// ------------------------------------------------------------------------------------------------------- transactions

export const initProducerId = api(
  22,
  'InitProducerId',
  [3, 5],
  struct({ transactionalId: nullableString, timeoutMs: int32, producerId: int64, epoch: int16 }),
  struct({ ...failed, producerId: int64, epoch: int16 }),
)

const partitionsByTopic = array(struct({ name: string, partitions: array(int32) }))
const errorsByTopic = array(struct({ name: string, partitions: array(struct({ partition: int32, error: int16 })) }))
const transaction = { transactionalId: string, producerId: int64, epoch: int16 }

export const addPartitionsToTxn = api(
  24,
  'AddPartitionsToTxn',
  [3, 3],
  struct({ ...transaction, topics: partitionsByTopic }),
  struct({ ...throttled, topics: errorsByTopic }),
)

export const addOffsetsToTxn = api(
  25,
  'AddOffsetsToTxn',
  [3, 4],
  struct({ ...transaction, group: string }),
  struct(failed),
)

export const endTxn = api(
  26,
  'EndTxn',
  [3, 5],
  struct({ ...transaction, commit: bool }),
  struct({ ...failed, producerId: since(5, int64, -1), nextEpoch: since(5, int16, -1) }),
)

const offsetsByTopic = array(
  struct({
    name: string,
    partitions: array(struct({ partition: int32, offset: int64, leaderEpoch: int32, metadata: nullableString })),
  }),
)

export const txnOffsetCommit = api(
  28,
  'TxnOffsetCommit',
  [3, 5],
  struct({
    transactionalId: string,
    group: string,
    producerId: int64,
    epoch: int16,
    generation: int32,
    member: string,
    instance: nullableString,
    topics: offsetsByTopic,
  }),
  struct({ ...throttled, topics: errorsByTopic }),
)

// -------------------------------------------------------------------------------------------------------------- groups

export const offsetCommit = api(
  8,
  'OffsetCommit',
  [8, 8],
  struct({ group: string, generation: int32, member: string, instance: nullableString, topics: offsetsByTopic }),
  struct({ ...throttled, topics: errorsByTopic }),
)

export const offsetFetch = api(
  9,
  'OffsetFetch',
  [7, 7],
  struct({ group: string, topics: nullableArray(struct({ name: string, partitions: array(int32) })), stable: bool }),
  struct({
    ...throttled,
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({ partition: int32, offset: int64, leaderEpoch: int32, metadata: nullableString, error: int16 }),
        ),
      }),
    ),
    error: int16,
  }),
)

export const joinGroup = api(
  11,
  'JoinGroup',
  [7, 7],
  struct({
    group: string,
    sessionMs: int32,
    rebalanceMs: int32,
    member: string,
    instance: nullableString,
    type: string,
    protocols: array(struct({ name: string, metadata: bytes })),
  }),
  struct({
    ...failed,
    generation: int32,
    type: nullableString,
    protocol: nullableString,
    leader: string,
    member: string,
    members: array(struct({ member: string, instance: nullableString, metadata: bytes })),
  }),
)

export const syncGroup = api(
  14,
  'SyncGroup',
  [5, 5],
  struct({
    group: string,
    generation: int32,
    member: string,
    instance: nullableString,
    type: nullableString,
    protocol: nullableString,
    assignments: array(struct({ member: string, assignment: bytes })),
  }),
  struct({ ...failed, type: nullableString, protocol: nullableString, assignment: bytes }),
)

export const heartbeat = api(
  12,
  'Heartbeat',
  [4, 4],
  struct({ group: string, generation: int32, member: string, instance: nullableString }),
  struct(failed),
)

export const leaveGroup = api(
  13,
  'LeaveGroup',
  [4, 4],
  struct({ group: string, members: array(struct({ member: string, instance: nullableString })) }),
  struct({ ...failed, members: array(struct({ member: string, instance: nullableString, error: int16 })) }),
)

// --------------------------------------------------------------------------------------------------------------- admin

export const createTopics = api(
  19,
  'CreateTopics',
  [5, 7],
  struct({
    topics: array(
      struct({
        name: string,
        partitions: int32,
        replicas: int16,
        assignments: array(struct({ partition: int32, brokers: array(int32) })),
        configs: array(struct({ name: string, value: nullableString })),
      }),
    ),
    timeoutMs: int32,
    validateOnly: bool,
  }),
  struct({
    ...throttled,
    topics: array(
      struct({
        name: string,
        id: since(7, uuid, noTopicId),
        error: int16,
        message: nullableString,
        partitions: int32,
        replicas: int16,
        configs: nullableArray(
          struct({ name: string, value: nullableString, readOnly: bool, source: int8, sensitive: bool }),
        ),
      }),
    ),
  }),
)

export const createPartitions = api(
  37,
  'CreatePartitions',
  [2, 3],
  struct({
    topics: array(
      struct({ name: string, count: int32, assignments: nullableArray(struct({ brokers: array(int32) })) }),
    ),
    timeoutMs: int32,
    validateOnly: bool,
  }),
  struct({ ...throttled, results: array(struct({ name: string, error: int16, message: nullableString })) }),
)

export const deleteTopics = api(
  20,
  'DeleteTopics',
  [5, 5],
  struct({ topics: array(string), timeoutMs: int32 }),
  struct({ ...throttled, topics: array(struct({ name: nullableString, error: int16, message: nullableString })) }),
)

export const deleteRecords = api(
  21,
  'DeleteRecords',
  [2, 2],
  struct({
    topics: array(struct({ name: string, partitions: array(struct({ partition: int32, offset: int64 })) })),
    timeoutMs: int32,
  }),
  struct({
    ...throttled,
    topics: array(
      struct({ name: string, partitions: array(struct({ partition: int32, start: int64, error: int16 })) }),
    ),
  }),
)

export const describeConfigs = api(
  32,
  'DescribeConfigs',
  [4, 4],
  struct({
    resources: array(struct({ type: int8, name: string, keys: nullableArray(string) })),
    synonyms: bool,
    documentation: bool,
  }),
  struct({
    ...throttled,
    results: array(
      struct({
        error: int16,
        message: nullableString,
        type: int8,
        name: string,
        configs: array(
          struct({
            name: string,
            value: nullableString,
            readOnly: bool,
            source: int8,
            sensitive: bool,
            synonyms: array(struct({ name: string, value: nullableString, source: int8 })),
            configType: int8,
            documentation: nullableString,
          }),
        ),
      }),
    ),
  }),
)

export const deleteGroups = api(
  42,
  'DeleteGroups',
  [2, 2],
  struct({ groups: array(string) }),
  struct({ ...throttled, results: array(struct({ group: string, error: int16 })) }),
)

/** Since Apache Kafka 3.0. */
export const listTransactions = api(
  66,
  'ListTransactions',
  [0, 0],
  struct({ states: array(string), producers: array(int64) }),
  struct({
    ...failed,
    unknownStates: array(string),
    transactions: array(struct({ transactionalId: string, producerId: int64, state: string })),
  }),
)
