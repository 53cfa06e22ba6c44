import { DhaaraError, type ErrorCode } from '../../../errors/index.ts'

/** Error numbers of the protocol that something here depends on, or that users meet. */
export const kafkaError = {
  unknown: -1,
  offsetOutOfRange: 1,
  corruptMessage: 2,
  unknownTopic: 3,
  leaderNotAvailable: 5,
  notLeader: 6,
  requestTimedOut: 7,
  replicaNotAvailable: 9,
  messageTooLarge: 10,
  networkException: 13,
  coordinatorLoading: 14,
  coordinatorNotAvailable: 15,
  notCoordinator: 16,
  invalidTopic: 17,
  notEnoughReplicas: 19,
  notEnoughReplicasAfterAppend: 20,
  illegalGeneration: 22,
  unknownMember: 25,
  rebalanceInProgress: 27,
  topicAuthorizationFailed: 29,
  groupAuthorizationFailed: 30,
  clusterAuthorizationFailed: 31,
  unsupportedVersion: 35,
  topicExists: 36,
  invalidPartitions: 37,
  invalidReplicationFactor: 38,
  invalidConfig: 40,
  notController: 41,
  policyViolation: 44,
  outOfOrderSequence: 45,
  duplicateSequence: 46,
  invalidProducerEpoch: 47,
  invalidTxnState: 48,
  invalidProducerIdMapping: 49,
  concurrentTransactions: 51,
  transactionalIdAuthorizationFailed: 53,
  kafkaStorageError: 56,
  unknownProducerId: 59,
  fencedLeaderEpoch: 74,
  unknownLeaderEpoch: 75,
  offsetNotAvailable: 78,
  memberIdRequired: 79,
  fencedInstanceId: 82,
  invalidRecord: 87,
  unstableOffsetCommit: 88,
  throttlingQuotaExceeded: 89,
  producerFenced: 90,
  unknownTopicId: 100,
  inconsistentTopicId: 103,
  transactionAbortable: 120,
} as const

type Name = keyof typeof kafkaError
const names: ReadonlyMap<number, Name> = new Map(
  Object.entries(kafkaError).map(([name, number]) => [number, name as Name]),
)

const retriable: ReadonlySet<number> = new Set<number>([
  kafkaError.unknownTopic,
  kafkaError.leaderNotAvailable,
  kafkaError.notLeader,
  kafkaError.requestTimedOut,
  kafkaError.replicaNotAvailable,
  kafkaError.networkException,
  kafkaError.coordinatorLoading,
  kafkaError.coordinatorNotAvailable,
  kafkaError.notCoordinator,
  kafkaError.notEnoughReplicas,
  kafkaError.notEnoughReplicasAfterAppend,
  kafkaError.notController,
  kafkaError.concurrentTransactions,
  kafkaError.kafkaStorageError,
  kafkaError.fencedLeaderEpoch,
  kafkaError.unknownLeaderEpoch,
  kafkaError.offsetNotAvailable,
  kafkaError.unstableOffsetCommit,
  kafkaError.throttlingQuotaExceeded,
  kafkaError.unknownTopicId,
  kafkaError.inconsistentTopicId,
])

/** After this time a topic that brokers do not know is not one of which they have not heard yet, ms. */
export const unknownFor = 10_000

const codes: Partial<Record<Name, ErrorCode>> = {
  offsetOutOfRange: 'DHAARA_KAFKA_OFFSET',
  corruptMessage: 'DHAARA_KAFKA_CORRUPT',
  unknownTopic: 'DHAARA_TOPIC_UNKNOWN',
  unknownTopicId: 'DHAARA_TOPIC_UNKNOWN',
  inconsistentTopicId: 'DHAARA_TOPIC_REPLACED',
  messageTooLarge: 'DHAARA_RECORD_TOO_LARGE',
  illegalGeneration: 'DHAARA_KAFKA_FENCED',
  unknownMember: 'DHAARA_KAFKA_FENCED',
  rebalanceInProgress: 'DHAARA_KAFKA_FENCED',
  invalidProducerIdMapping: 'DHAARA_KAFKA_FENCED',
  invalidTxnState: 'DHAARA_KAFKA_FENCED',
  transactionAbortable: 'DHAARA_KAFKA_FENCED',
  fencedInstanceId: 'DHAARA_KAFKA_FENCED',
  invalidProducerEpoch: 'DHAARA_KAFKA_FENCED',
  producerFenced: 'DHAARA_KAFKA_FENCED',
  topicAuthorizationFailed: 'DHAARA_KAFKA_AUTH',
  groupAuthorizationFailed: 'DHAARA_KAFKA_AUTH',
  clusterAuthorizationFailed: 'DHAARA_KAFKA_AUTH',
  transactionalIdAuthorizationFailed: 'DHAARA_KAFKA_AUTH',
  unsupportedVersion: 'DHAARA_KAFKA_VERSION',
  requestTimedOut: 'DHAARA_KAFKA_TIMEOUT',
}

/** What to do, where the name does not say it. */
const advice: Partial<Record<Name, string>> = {
  messageTooLarge:
    "; a record, compressed, is larger than the topic's max.message.bytes (1 MiB by default, 8 MiB or more where the app has made it): write smaller keys and values (of a changelog: rows of the store), or raise it for this topic",
}

/** An error that a broker answered with. */
export class KafkaAnswer extends DhaaraError {
  /** The protocol's number. */
  readonly number: number

  constructor(number: number, what: string) {
    const name = names.get(number)
    const code = (name && codes[name]) ?? 'DHAARA_KAFKA_REQUEST'
    super(
      code as never,
      `${what}: the broker answered ${name ?? 'an error'} (${number})${(name && advice[name]) ?? ''}`,
    )
    this.number = number
  }
}

/** @throws KafkaAnswer unless the number is 0 */
export function check(number: number, what: string): void {
  if (number !== 0) throw new KafkaAnswer(number, what)
}

/** Whether it may go well when tried again, perhaps on another broker. */
export function mayRetry(error: unknown): boolean {
  if (error instanceof KafkaAnswer) return retriable.has(error.number)
  return (
    error instanceof DhaaraError && (error.code === 'DHAARA_KAFKA_CONNECT' || error.code === 'DHAARA_KAFKA_TIMEOUT')
  )
}

export const isAnswer = (error: unknown, ...among: Name[]): boolean =>
  error instanceof KafkaAnswer && among.some((name) => kafkaError[name] === error.number)
