import type { RemoteLog } from '../connectors/broker/remote.ts'
import type { LetterFilter, LetterPage, LettersDone, ReadableLog } from '../connectors/broker/index.ts'
import type { Topology } from '../dsl/topology/index.ts'
import type { EngineMeters } from '../engine/app/engine.ts'
import type { PhysicalPlan } from '../engine/plan/physical.ts'
import type { AnyStoreQuery } from '../engine/query/index.ts'
import type { AppState } from '../engine/runtime/lifecycle.ts'

/** What the server shows of an app. What is not there yet, or any more, throws DhaaraError DHAARA_APP_STATE. */
export interface Served {
  readonly applicationId: string
  readonly state: AppState
  readonly startedAt: number
  topology(): Topology
  stores(): readonly StoreInfo[]
  store(name: string): AnyStoreQuery
  tasks(): readonly TaskInfo[]
  /** Topics that lie in this process; undefined where they lie elsewhere. */
  log(): ReadableLog | undefined
  /** Topics that lie elsewhere; undefined where there are none. */
  remoteLog(): RemoteLog | undefined
  /** Topics that are read from outside, with the first offset of each partition that was not processed. */
  positions(): readonly InputPosition[]
  metrics(): Readonly<Record<string, number>>
  /** Into a new folder of the machine that the app runs on. */
  savepoint(folder: string): Promise<SavepointInfo>
  /** How the topology reads or writes a topic; undefined: it does not. */
  serdes(topic: string): { readonly key?: TopicSerde | undefined; readonly value?: TopicSerde | undefined }
  /** undefined where dead letters lie elsewhere. */
  letters(): Letters | undefined
  /** What each task and step does. */
  meters(): EngineMeters
  plan(): PhysicalPlan
  /**
   * The answer to a question of another instance, piece by piece; absent where an app is one process.
   * @throws DhaaraError DHAARA_MOVED, from the first piece or before
   */
  answerPeer?(question: unknown): AsyncIterator<Uint8Array>
  /** The last ones, newest last. */
  checkpoints(): readonly CheckpointInfo[]
}

export interface SavepointInfo {
  readonly app: string
  readonly createdAt: string
  readonly stores: readonly { readonly files: readonly { readonly rows: number }[] }[]
}

export interface TopicSerde {
  deserialize(bytes: Uint8Array, topic: string): unknown
}

/** The app's dead letters. */
export interface Letters {
  readonly topic: string
  list(filter: LetterFilter, limit: number, before: number | undefined): LetterPage | Promise<LetterPage>
  replay(filter: LetterFilter): LettersDone | Promise<LettersDone>
  drop(filter: LetterFilter): LettersDone | Promise<LettersDone>
}

export interface StoreInfo {
  readonly name: string
  /** How it can be asked: by key, by key with lists as values, or by key and window. */
  readonly kind: 'keyValue' | 'list' | 'window' | 'inner'
  readonly partitions: number
  /** Of its secondary indexes. */
  readonly indexes: readonly string[]
}

export interface TaskInfo {
  readonly id: string
  readonly subTopology: string
  readonly partition: number
  /** undefined: in the app's own thread. */
  readonly worker?: number
  /** URL of the instance that has it, where an app has several. */
  readonly at?: string
  readonly stores: readonly string[]
}

export interface InputPosition {
  readonly topic: string
  readonly partition: number
  readonly position: number | undefined
}

/** How far a store's partition is with being read from its changelog. */
export interface RestoreInfo {
  readonly store: string
  readonly partition: number
  readonly done: number
  readonly total: number
}

export interface CheckpointInfo {
  readonly epoch: number
  /** When it was written, epoch ms. */
  readonly at: number
  /** How long writing it took. */
  readonly ms: number
  readonly bytes: number
  /**
   * What the time went into, ms, where it was measured: the barrier of workers, encoding, the commit on Kafka, the write of the
   * database, with or without a sync.
   */
  readonly parts?: {
    readonly barrier?: number
    readonly flush: number
    readonly commit?: number
    readonly write?: number
    readonly sync?: number
  }
}

/** Where and how to serve. */
export interface HttpOptions {
  /** Default: any that is free. */
  readonly port?: number
  /** Default 127.0.0.1. */
  readonly host?: string
  /**
   * On Kafka: where other instances of the app reach this server, `host:port` or a URL. Default: its host and port; the
   * machine's name where it listens on all addresses.
   */
  readonly advertise?: string
  /** Asked of every request but those for health: `Authorization: Bearer …`. */
  readonly token?: string
  /** Serves HTTPS, by this certificate: texts in PEM form. */
  readonly tls?: { readonly key: string; readonly cert: string; readonly ca?: string }
  /** Lets requests change something: savepoints, dead letters that are replayed or dropped. Give a token with it. */
  readonly admin?: boolean
  /**
   * Pages of one's own beside the console, at `/pages/<name>/`: folders with an `index.html`, whose scripts ask the app by the same
   * routes. Like the console they hold no data, and no request may leave them.
   */
  readonly pages?: Readonly<Record<string, string | URL>>
}
