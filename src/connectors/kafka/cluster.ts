import { setTimeout as delay } from 'node:timers/promises'
import { DhaaraError } from '../../errors/index.ts'
import { AnswerMemory } from './answer-memory.ts'
import type { KafkaClient, KafkaConnection } from './client/index.ts'
import { tooOld } from './too-old.ts'
import * as apis from './wire/apis.ts'
import { check, KafkaAnswer, kafkaError, mayRetry } from './wire/errors.ts'
import { fetch } from './wire/fetch.ts'
import { produce } from './wire/produce.ts'
import { Reader } from './wire/reader.ts'
import { type Api, encodeRequest } from './wire/schema.ts'
import type { Writer } from './wire/writer.ts'

/** Requests of different lanes to one broker go through different connections, and do not wait for each other. */
export type Lane = 'control' | 'fetch' | 'produce' | `group-${number}`

type Versions = ReadonlyMap<number, { readonly min: number; readonly max: number }>

interface Link {
  readonly connection: KafkaConnection
  readonly versions: Versions
  readonly address: string
}

export interface PartitionInfo {
  /** -1: none at the moment. */
  readonly leader: number
  readonly leaderEpoch: number
}

export interface TopicMetadata {
  readonly name: string
  /** Changes when a topic is deleted and made again. */
  readonly id: string
  readonly partitions: readonly PartitionInfo[]
  readonly replicas: number
}

interface Address {
  readonly host: string
  readonly port: number
}

const requestTimeout = 30_000
/** Answers in a row of brokers that know of none. */
const mostUnknowing = 50
/** A join waits for the other members. */
const groupTimeout = 400_000

/** The brokers, as they are known: who leads what, and connections to them, opened when needed. */
export class KafkaCluster {
  /** What is fetched lies there. */
  readonly memory = new AnswerMemory()
  readonly #client: KafkaClient
  readonly #bootstrap: readonly Address[]
  readonly #nodes = new Map<number, Address>()
  readonly #links = new Map<string, Promise<Link>>()
  readonly #topics = new Map<string, TopicMetadata>()
  readonly #coordinators = new Map<string, number>()
  #controller = -1
  #featuresEpoch = -1
  #transactionVersion = 0
  #alive: readonly number[] = []
  #next = 0
  #closed = false

  /** @throws DhaaraError DHAARA_OPTION: an address is malformed */
  constructor(client: KafkaClient, brokers: readonly string[]) {
    this.#client = client
    this.#bootstrap = brokers.map(addressOf)
  }

  /**
   * Sends one request to a node; `undefined`: to whichever answers. Encodes and decodes; errors in the answer are the caller's.
   * @param to in whose memory it is encoded: when there is an answer nobody looks there any more
   */
  async request<Req, Res>(
    api: Api<Req, Res>,
    request: Req,
    node: number | undefined,
    lane: Lane = 'control',
    to?: Writer,
  ): Promise<Res> {
    const { connection, versions, address } = await this.#link(node, lane)
    const version = agreed(api, versions, address)
    const answer = await connection.send(
      { key: api.key, version, name: api.name },
      encodeRequest(api, request, version, to),
    )
    return api.response.read(new Reader(answer), version)
  }

  /** To the coordinator of a group or of a transactional id. */
  async toCoordinator<Req, Res>(
    of: 'group' | 'transaction',
    key: string,
    api: Api<Req, Res>,
    request: Req,
    lane: Lane = 'control',
  ): Promise<Res> {
    return this.request(api, request, await this.coordinator(of, key), lane)
  }

  async coordinator(of: 'group' | 'transaction', key: string): Promise<number> {
    const id = `${of}:${key}`
    const known = this.#coordinators.get(id)
    if (known !== undefined) return known
    const request = { key, type: of === 'group' ? 0 : 1 }
    const { error, node, host, port } = await this.request(apis.findCoordinator, request, undefined)
    check(error, `Looking for the coordinator of ${of} '${key}'`)
    this.#nodes.set(node, { host, port })
    this.#coordinators.set(id, node)
    return node
  }

  /** Call it when a coordinator says it is none. */
  forgetCoordinator(of: 'group' | 'transaction', key: string): void {
    this.#coordinators.delete(`${of}:${key}`)
  }

  async controller(): Promise<number> {
    if (this.#controller < 0) await this.refresh([])
    return this.#controller
  }

  /** Call it when the controller says it is none. */
  forgetController(): void {
    this.#controller = -1
  }

  /** Asks for these topics (null: all) anew. Those that do not exist are forgotten. */
  async refresh(names: readonly string[] | null): Promise<readonly TopicMetadata[]> {
    const request = {
      topics: names === null ? null : names.map((name) => ({ id: '0'.repeat(32), name })),
      createTopics: false,
      clusterOperations: false,
      topicOperations: false,
    }
    let answer = await this.request(apis.metadata, request, undefined)
    // With ZooKeeper a broker that has just started knows of nothing, not even of itself: another is asked.
    for (let tries = 0; answer.brokers.length === 0; tries++) {
      if (tries === mostUnknowing) throw new KafkaAnswer(kafkaError.leaderNotAvailable, 'Asking who the brokers are')
      this.#next++
      await delay(100)
      answer = await this.request(apis.metadata, request, undefined)
    }
    const { brokers, controller, topics } = answer
    for (const { id, host, port } of brokers) this.#nodes.set(id, { host, port })
    this.#controller = controller
    this.#alive = brokers.map(({ id }) => id)
    if (names === null) this.#topics.clear()
    const found: TopicMetadata[] = []
    for (const { error, name, id, internal, partitions } of topics) {
      if (name === null || (names === null && internal)) continue
      if (error === kafkaError.unknownTopic || error === kafkaError.unknownTopicId) {
        this.#topics.delete(name)
        continue
      }
      if (error !== 0 && error !== kafkaError.leaderNotAvailable) throw new KafkaAnswer(error, `Topic '${name}'`)
      const infos: PartitionInfo[] = []
      for (const { partition, leader, leaderEpoch } of partitions) infos[partition] = { leader, leaderEpoch }
      const replicas = Math.min(...partitions.map((one) => one.replicas.length))
      const topic = { name, id, partitions: infos, replicas }
      this.#topics.set(name, topic)
      found.push(topic)
    }
    return found
  }

  /** Brokers that run. */
  async nodes(): Promise<readonly number[]> {
    await this.refresh([])
    return this.#alive
  }

  /** What the cluster has agreed on, as the newest connection tells: from 2 on, ends of transactions give new epochs (KIP-890). */
  get transactionVersion(): number {
    return this.#transactionVersion
  }

  /** As far as it is known. */
  topic(name: string): TopicMetadata | undefined {
    return this.#topics.get(name)
  }

  /** Forgets who leads it: it is asked for again. */
  forget(topic: string): void {
    this.#topics.delete(topic)
  }

  /** @throws KafkaAnswer unknownTopic, leaderNotAvailable */
  async leader(topic: string, partition: number): Promise<PartitionInfo> {
    if (this.#topics.get(topic) === undefined) await this.refresh([topic])
    const info = this.#topics.get(topic)?.partitions[partition]
    if (info === undefined) throw new KafkaAnswer(kafkaError.unknownTopic, `Topic '${topic}', partition ${partition}`)
    if (info.leader >= 0) return info
    this.forget(topic)
    throw new KafkaAnswer(kafkaError.leaderNotAvailable, `Topic '${topic}', partition ${partition}`)
  }

  async close(): Promise<void> {
    this.#closed = true
    const links = [...this.#links.values()]
    this.#links.clear()
    await Promise.all(links.map((link) => link.then(({ connection }) => connection.close()).catch(() => {})))
  }

  async #link(node: number | undefined, lane: Lane): Promise<Link> {
    if (node !== undefined) {
      const address = this.#nodes.get(node)
      if (address === undefined) await this.refresh([])
      return this.#open(this.#nodes.get(node) ?? unknownNode(node), lane)
    }
    const addresses = [...this.#nodes.values(), ...this.#bootstrap]
    let failure: unknown
    for (let i = 0; i < addresses.length; i++) {
      try {
        return await this.#open(addresses[this.#next % addresses.length] as Address, lane)
      } catch (error) {
        if (!mayRetry(error)) throw error
        failure = error
        this.#next++
      }
    }
    throw failure
  }

  async #open({ host, port }: Address, lane: Lane): Promise<Link> {
    const id = `${host}:${port}/${lane}`
    const known = this.#links.get(id)
    if (known !== undefined) {
      const link = await known
      if (link.connection.open) return link
      if (this.#links.get(id) !== known) return this.#open({ host, port }, lane)
    }
    if (this.#closed) throw new DhaaraError('DHAARA_APP_STATE', 'This broker is closed; make another one')
    const opening = this.#connect(host, port, lane)
    this.#links.set(id, opening)
    opening.catch(() => {
      if (this.#links.get(id) === opening) this.#links.delete(id)
    })
    return opening
  }

  async #connect(host: string, port: number, lane: Lane): Promise<Link> {
    const { direct } = this.#client
    const connection =
      (lane === 'fetch' || lane === 'produce') && direct !== undefined
        ? await direct(host, port, requestTimeout, this.memory)
        : await this.#client.connect(host, port, lane.startsWith('group') ? groupTimeout : requestTimeout)
    try {
      const { key, max: version, name } = apis.apiVersions
      const body = encodeRequest(apis.apiVersions, { name: 'dhaara', version: '1' }, version)
      const answer = new Reader(await connection.send({ key, version, name }, body))
      // A broker that does not know the version answers in its oldest form, which begins with the error too.
      if (answer.buf.readInt16BE(0) !== 0)
        throw tooOld(`The broker at ${host}:${port} does not speak ${name} ${version}`)
      const { apis: ranges, featuresEpoch, features } = apis.apiVersions.response.read(answer, version)
      if (featuresEpoch > this.#featuresEpoch) {
        this.#featuresEpoch = featuresEpoch
        this.#transactionVersion = features.find((feature) => feature.name === 'transaction.version')?.level ?? 0
      }
      const versions = new Map(ranges.map(({ key: id, min, max }) => [id, { min, max }]))
      for (const needed of spokenAlways) agreed(needed, versions, `${host}:${port}`)
      return { connection, versions, address: `${host}:${port}` }
    } catch (error) {
      void connection.close()
      throw error
    }
  }
}

/** Without these nothing goes: who is too old for them is left at once, and not in the middle of something. */
const spokenAlways = [
  apis.metadata,
  apis.listOffsets,
  apis.findCoordinator,
  apis.initProducerId,
  apis.offsetFetch,
  apis.joinGroup,
  apis.syncGroup,
  apis.heartbeat,
  fetch,
  produce,
]

/** The newest version that both sides speak. */
function agreed(
  { key, name, min, max }: Omit<Api<never, unknown>, 'request' | 'response'>,
  versions: Versions,
  address: string,
): number {
  const theirs = versions.get(key)
  if (theirs !== undefined && theirs.min <= max && theirs.max >= min) return Math.min(theirs.max, max)
  const found =
    theirs === undefined ? `does not know ${name} (${key})` : `speaks ${name} ${theirs.min} to ${theirs.max}`
  if (theirs === undefined || theirs.max < min)
    throw tooOld(`The broker at ${address} ${found}; version ${min} is needed`)
  throw new DhaaraError(
    'DHAARA_KAFKA_VERSION',
    `The broker at ${address} ${found}, and no version as old as ${max}. A newer version of dhaara is needed`,
  )
}

function unknownNode(node: number): never {
  throw new DhaaraError(
    'DHAARA_KAFKA_CONNECT',
    `Broker ${node} is not among those that the cluster names at the moment`,
  )
}

function addressOf(text: string): Address {
  const [, host, port] = /^(.+):(\d+)$/.exec(text) ?? []
  if (host !== undefined && port !== undefined && Number(port) < 65_536)
    return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) }
  throw new DhaaraError('DHAARA_OPTION', `a broker's address is '${text}'; expected host:port`)
}
