/** A log that lies elsewhere, as the engine sees it: Kafka. What waits is a promise; what was read ahead is there at once. */
import type { FetchedBatch, TopicInfo } from './log.ts'
import type { Broker } from './broker.ts'

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export interface RemoteTopic extends TopicInfo {
  /** Another one after the topic was deleted and made again. Empty: the cluster gives none, or none yet. */
  readonly id: string
  /** Copies of each partition; of the one that has fewest. */
  readonly replicas: number
}

export interface NewTopic {
  readonly name: string
  readonly partitions: number
  readonly configs: Readonly<Record<string, string>>
}

/** Rows by column; what `FetchedBatch` has of them. */
export type RemoteRows = Pick<
  FetchedBatch,
  'count' | 'data' | 'keyStart' | 'keyEnd' | 'valueStart' | 'valueEnd' | 'timestamps' | 'headers'
>

export interface ReaderOptions {
  /** Records of open and aborted transactions are read too. Default false. */
  readonly uncommitted?: boolean
  /** Bytes read ahead of all partitions together; default 32 MiB. */
  readonly bufferBytes?: number
  /** Something can be taken that could not before. */
  readonly onData?: () => void
}

/** Reads partitions ahead, each from the position it was given. */
export interface RemoteReader {
  /** From then on it is read. Does nothing if it is read already. */
  add(topic: string, partition: number, offset: number): void
  remove(topic: string, partition: number): void
  /** Nothing is fetched until `resume`; what was fetched stays. */
  pause(topic: string, partition: number): void
  resume(topic: string, partition: number): void
  /**
   * What follows `offset`, if it is there already. May have no records and a later `nextOffset`, where others' markers and
   * aborted records were skipped. Another offset than the last answer's `nextOffset` moves the position.
   *
   * @throws DhaaraError DHAARA_KAFKA_OFFSET, DHAARA_KAFKA_CORRUPT, DHAARA_TOPIC_UNKNOWN, DHAARA_KAFKA_AUTH
   */
  take(topic: string, partition: number, offset: number): FetchedBatch | undefined
  /** Nobody looks at a batch that was taken any more, nor at a view of it: its memory may be used again. Need not be called. */
  done(batch: FetchedBatch): void
  /** As far as is known: the offset after the last record that can be read now. NaN: nothing is known yet. */
  end(topic: string, partition: number): number
  close(): Promise<void>
}

/** A member of a group, at the time of an offset commit. */
export interface Membership {
  readonly group: string
  readonly generation: number
  readonly member: string
  readonly instance: string | null
}

export interface PositionedPartition extends TopicPartition {
  readonly offset: number
}

export interface WriterOptions {
  /** Its writes are seen together, at each `commit`; and a writer of that name before it is fenced. */
  readonly transactionalId?: string
  /** After this time an open transaction is aborted by the broker; default 60 s. */
  readonly transactionTimeoutMs?: number
  readonly compression?: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
}

export interface SentFrame {
  /** Offset of its first row. */
  readonly first: number
  readonly memory: ArrayBuffer
}

export interface RemoteWriter {
  /** Fences whoever wrote under this transactional id before, and settles what they left open. */
  init(): Promise<void>
  /**
   * Makes a transaction's end faster: it will write where the last one did, and move positions of that group. Call it shortly before:
   * from then on a transaction is open, which must be ended. Does nothing without a transactional id; failures show at the end.
   */
  open(group: string | undefined): void
  /**
   * Rows are sent in the order of the calls, each once. The rows' bytes must not change until it resolves.
   * @returns the first row's offset
   * @throws DhaaraError DHAARA_RECORD_TOO_LARGE, DHAARA_TOPIC_UNKNOWN, DHAARA_KAFKA_FENCED, …; then `abort`
   */
  send(topic: string, partition: number, rows: RemoteRows): Promise<number>
  /**
   * As `send`, of all rows of a frame, of which the records' checksum may be missing. Its memory is the writer's, and comes back
   * with the answer (after an error it does not).
   */
  sendFrame(topic: string, partition: number, frame: Buffer<ArrayBuffer>): Promise<SentFrame>
  /** Resolves when all that was sent is acknowledged. */
  flush(): Promise<void>
  /**
   * Ends the transaction: what was sent and the group's positions are there together, or not at all.
   *
   * @throws DhaaraError DHAARA_KAFKA_FENCED: it was refused; where an answer was lost before, it may be that one that came
   *   through. DHAARA_KAFKA_TIMEOUT, DHAARA_KAFKA_CONNECT: it is not known. `init` settles it; then read what there is
   */
  commit(positions: readonly PositionedPartition[], membership: Membership | undefined): Promise<void>
  abort(): Promise<void>
  close(): Promise<void>
}

export interface MemberOptions {
  readonly group: string
  /** Keeps its place while a process is restarted. */
  readonly instance?: string
  readonly sessionMs?: number
  /** How long the others wait for it when all join again; default 5 min. */
  readonly rebalanceMs?: number
  readonly topics: readonly string[]
  /** Memory of a `Lease`: kept up to date as long as nobody else can have what this member has. */
  readonly lease?: SharedArrayBuffer
  /** What the leader is told of this member; asked for at each join. */
  userData(): Buffer
  /** Called in one member: who gets what. */
  assign(members: readonly { readonly member: string; readonly userData: Buffer }[]): Promise<readonly Assigned[]>
}

export interface Assigned {
  readonly member: string
  /** For tools that show who reads what. */
  readonly partitions: readonly TopicPartition[]
  /** What the member is told. */
  readonly userData: Buffer
}

export interface RemoteMember {
  readonly membership: Membership
  /**
   * Joins, or joins again. @returns what the leader has assigned
   * @throws DhaaraError DHAARA_KAFKA_FENCED: the group has gone on without this member, and others may have what it had. It
   * may join as a new one when nothing is left of that
   */
  join(): Promise<Buffer>
  /** Resolves when the group wants all to join again, or has dropped this member. */
  readonly rebalance: Promise<void>
  leave(): Promise<void>
  /** Leaves for now: its tasks go to others. `rebalance` resolves, and it may join again. */
  retreat(): Promise<void>
}

export interface RemoteLog {
  /** Without internal ones of the broker. */
  topics(): Promise<readonly RemoteTopic[]>
  /** Those of them that exist. */
  describe(names: readonly string[]): Promise<readonly RemoteTopic[]>
  /** Those that exist stay as they are. @throws DhaaraError DHAARA_KAFKA_AUTH, DHAARA_KAFKA_REQUEST */
  createTopics(topics: readonly NewTopic[]): Promise<void>
  /** So many partitions it has then; one that has as many, or more, stays as it is. */
  growTopic(name: string, partitions: number): Promise<void>
  deleteTopics(names: readonly string[]): Promise<void>
  /** Without those that the broker's defaults give, unless `defaults` asks for them. */
  configs(topic: string, defaults?: boolean): Promise<Readonly<Record<string, string>>>
  deleteRecords(before: readonly PositionedPartition[]): Promise<void>
  /** In the order asked. `at`: a timestamp in ms gives the first record that is not older. */
  offsets(
    partitions: readonly TopicPartition[],
    at: 'earliest' | 'latest' | number,
    uncommitted?: boolean,
  ): Promise<readonly number[]>
  /** Where a group goes on; waits until no transaction that moves it is open. */
  groupOffsets(group: string, partitions: readonly TopicPartition[]): Promise<readonly (number | undefined)[]>
  /** Outside of a transaction. */
  commitOffsets(positions: readonly PositionedPartition[], membership: Membership): Promise<void>
  deleteGroup(group: string): Promise<void>
  /** Transactional ids that have a transaction open, as far as the brokers tell: those before Apache Kafka 3.0 do not. */
  openTransactions(): Promise<readonly string[]>
  reader(options?: ReaderOptions): RemoteReader
  writer(options?: WriterOptions): RemoteWriter
  member(options: MemberOptions): RemoteMember
  /** Idempotent. */
  release(): Promise<void>
}

/** Under this name a broker of another place keeps what the engine needs of it. */
export const remote: unique symbol = Symbol('dhaara.remote')

export interface RemoteBroker extends Broker, AsyncDisposable {
  /** @param apart in a thread of its own: see `PortLog` */
  [remote](where?: { readonly apart: boolean }): Promise<RemoteLog>
}

export const isRemote = (broker: Broker): broker is RemoteBroker => remote in broker
