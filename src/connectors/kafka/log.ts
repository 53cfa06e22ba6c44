import type {
  MemberOptions,
  Membership,
  NewTopic,
  PositionedPartition,
  ReaderOptions,
  RemoteLog,
  RemoteMember,
  RemoteReader,
  RemoteTopic,
  RemoteWriter,
  TopicPartition,
  WriterOptions,
} from '../broker/remote.ts'
import type { KafkaCluster, TopicMetadata } from './cluster.ts'
import { Fetcher } from './fetcher.ts'
import { KafkaMember } from './member.ts'
import { retrying } from './retry.ts'
import * as apis from './wire/apis.ts'
import { check, isAnswer, KafkaAnswer, kafkaError, unknownFor } from './wire/errors.ts'
import { noTopicId } from './wire/schema.ts'
import { KafkaWriter, offsetsByTopic } from './writer.ts'

const adminTimeout = 30_000
const topicResource = 2
/** How long a broker that does not list its transactions is asked again, ms. */
const longestListing = 2000
/** Where a configuration's value comes from: this topic's own. */
const ownConfig = 1

export interface LogOptions {
  /** Default: the brokers' own. */
  readonly replicationFactor?: number
  readonly sessionTimeout?: number
}

/** Topics, positions and groups of a cluster, and who reads and writes them. */
export class KafkaLog implements RemoteLog {
  readonly #cluster: KafkaCluster
  readonly #options: LogOptions
  readonly #release: () => Promise<void>
  readonly #open = new Set<{ close(): Promise<void> }>()

  constructor(cluster: KafkaCluster, options: LogOptions, release: () => Promise<void>) {
    this.#cluster = cluster
    this.#options = options
    this.#release = release
  }

  async topics(): Promise<readonly RemoteTopic[]> {
    const all = await retrying(() => this.#cluster.refresh(null))
    return all.map(infoOf).sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  async describe(names: readonly string[]): Promise<readonly RemoteTopic[]> {
    if (names.length === 0) return []
    return (await retrying(() => this.#cluster.refresh(names))).map(infoOf)
  }

  async createTopics(topics: readonly NewTopic[]): Promise<void> {
    if (topics.length === 0) return
    const wanted = topics.map(({ name, partitions, configs }) => ({
      name,
      partitions,
      replicas: this.#options.replicationFactor ?? -1,
      assignments: [],
      configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
    }))
    const make = (some: ReadonlySet<string>): Promise<void> =>
      this.#atController(async (node) => {
        const request = {
          topics: wanted.filter(({ name }) => some.has(name)),
          timeoutMs: adminTimeout,
          validateOnly: false,
        }
        const answer = await this.#cluster.request(apis.createTopics, request, node)
        for (const { name, error, message } of answer.topics)
          if (error !== kafkaError.topicExists)
            check(error, `Creating topic '${name}' (${message ?? 'no reason given'})`)
      })
    const names = topics.map(({ name }) => name)
    let missing: ReadonlySet<string> = new Set(names)
    await retrying(async () => {
      // Again, too: with ZooKeeper one that is being deleted is there for the controller, and for nobody else.
      if (missing.size > 0) await make(missing)
      const found = await this.#cluster.refresh(names)
      missing = new Set(names).difference(new Set(found.map(({ name }) => name)))
      const ready = found.filter(({ partitions }) => partitions.every(({ leader }) => leader >= 0))
      // Brokers hear of it a moment later.
      if (ready.length < topics.length) throw new KafkaAnswer(kafkaError.leaderNotAvailable, 'Creating topics')
    })
  }

  async growTopic(name: string, partitions: number): Promise<void> {
    const request = {
      topics: [{ name, count: partitions, assignments: null }],
      timeoutMs: adminTimeout,
      validateOnly: false,
    }
    await this.#atController(async (node) => {
      const [there] = await this.#cluster.refresh([name])
      if (there !== undefined && there.partitions.length >= partitions) return
      const { results } = await this.#cluster.request(apis.createPartitions, request, node)
      // others may have been faster
      for (const { error, message } of results)
        if (error !== kafkaError.invalidPartitions)
          check(error, `Giving topic '${name}' ${partitions} partitions (${message ?? 'no reason given'})`)
    })
    // Brokers hear of it a moment later.
    await retrying(async () => {
      const [found] = await this.#cluster.refresh([name])
      const ready = found?.partitions.filter(({ leader }) => leader >= 0).length ?? 0
      if (ready < partitions) throw new KafkaAnswer(kafkaError.leaderNotAvailable, `Giving topic '${name}' partitions`)
    })
  }

  async deleteTopics(names: readonly string[]): Promise<void> {
    if (names.length === 0) return
    await this.#atController(async (node) => {
      const request = { topics: names, timeoutMs: adminTimeout }
      for (const { name, error } of (await this.#cluster.request(apis.deleteTopics, request, node)).topics)
        if (error !== kafkaError.unknownTopic) check(error, `Deleting topic '${name}'`)
    })
    // Brokers hear of it a moment later.
    await retrying(async () => {
      if ((await this.#cluster.refresh(names)).length > 0)
        throw new KafkaAnswer(kafkaError.leaderNotAvailable, `Deleting topics ${names.join(', ')}`)
    })
  }

  async configs(topic: string, defaults = false): Promise<Readonly<Record<string, string>>> {
    const request = {
      resources: [{ type: topicResource, name: topic, keys: null }],
      synonyms: false,
      documentation: false,
    }
    const { results } = await retrying(() => this.#cluster.request(apis.describeConfigs, request, undefined))
    const own: Record<string, string> = {}
    for (const { error, configs } of results) {
      check(error, `Reading the configuration of topic '${topic}'`)
      for (const { name, value, source } of configs)
        if ((defaults || source === ownConfig) && value !== null) own[name] = value
    }
    return own
  }

  async deleteRecords(before: readonly PositionedPartition[]): Promise<void> {
    await this.#byLeader(before, async (node, list) => {
      const topics = offsetsByTopic(list)
      const answer = await this.#cluster.request(apis.deleteRecords, { topics, timeoutMs: adminTimeout }, node)
      for (const { name, partitions } of answer.topics)
        for (const { partition, error } of partitions) check(error, `Purging topic '${name}', partition ${partition}`)
      return list.map(() => undefined)
    })
  }

  offsets(
    partitions: readonly TopicPartition[],
    at: 'earliest' | 'latest' | number,
    uncommitted = false,
  ): Promise<readonly number[]> {
    const timestamp = at === 'earliest' ? -2 : at === 'latest' ? -1 : at
    return this.#byLeader(partitions, async (node, list) => {
      const topics = Array.from(
        Map.groupBy(list, ({ topic }) => topic),
        ([name, own]) => ({
          name,
          partitions: own.map(({ partition }) => ({ partition, leaderEpoch: -1, timestamp })),
        }),
      )
      const request = { replica: -1, isolation: uncommitted ? 0 : 1, topics }
      const answer = await this.#cluster.request(apis.listOffsets, request, node)
      const found = new Map<string, number>()
      for (const { name, partitions: own } of answer.topics) {
        for (const { partition, error, offset } of own) {
          check(error, `Looking for positions in topic '${name}', partition ${partition}`)
          found.set(`${partition}/${name}`, offset)
        }
      }
      const offsets = list.map(({ topic, partition }) => found.get(`${partition}/${topic}`) ?? -1)
      // No record is as new as that: read what comes.
      const open = list.filter((_, i) => offsets[i] === -1)
      if (typeof at !== 'number' || open.length === 0) return offsets
      const ends = await this.offsets(open, 'latest', uncommitted)
      return offsets.map((offset, i) =>
        offset === -1 ? (ends[open.indexOf(list[i] as TopicPartition)] as number) : offset,
      )
    })
  }

  async groupOffsets(group: string, partitions: readonly TopicPartition[]): Promise<readonly (number | undefined)[]> {
    if (partitions.length === 0) return []
    const topics = Array.from(
      Map.groupBy(partitions, ({ topic }) => topic),
      ([name, list]) => ({ name, partitions: list.map(({ partition }) => partition) }),
    )
    return this.#atCoordinator(group, async () => {
      const request = { group, topics, stable: true }
      const answer = await this.#cluster.toCoordinator('group', group, apis.offsetFetch, request)
      check(answer.error, `Reading the positions of group '${group}'`)
      const found = new Map<string, number>()
      for (const { name, partitions: list } of answer.topics) {
        for (const { partition, error, offset } of list) {
          check(error, `Reading the position of group '${group}' in '${name}', partition ${partition}`)
          if (offset >= 0) found.set(`${partition}/${name}`, offset)
        }
      }
      return partitions.map(({ topic, partition }) => found.get(`${partition}/${topic}`))
    })
  }

  async commitOffsets(positions: readonly PositionedPartition[], membership: Membership): Promise<void> {
    const { group, generation, member, instance } = membership
    await this.#atCoordinator(group, async () => {
      const request = { group, generation, member, instance, topics: offsetsByTopic(positions) }
      const answer = await this.#cluster.toCoordinator('group', group, apis.offsetCommit, request)
      for (const { name, partitions } of answer.topics)
        for (const { partition, error } of partitions)
          check(error, `Committing the position of group '${group}' in '${name}', partition ${partition}`)
    })
  }

  async deleteGroup(group: string): Promise<void> {
    await this.#atCoordinator(group, async () => {
      const { results } = await this.#cluster.toCoordinator('group', group, apis.deleteGroups, { groups: [group] })
      for (const { error } of results) if (error !== groupIdNotFound) check(error, `Deleting group '${group}'`)
    })
  }

  async openTransactions(): Promise<readonly string[]> {
    const nodes = await retrying(() => this.#cluster.nodes())
    // each broker knows those that it coordinates; one that does not answer now may be asked later
    const answers = await Promise.allSettled(
      nodes.map((node) =>
        retrying(
          async () => {
            const answer = await this.#cluster.request(
              apis.listTransactions,
              { states: ['Ongoing'], producers: [] },
              node,
            )
            check(answer.error, `Listing the transactions that broker ${node} coordinates`)
            return answer.transactions.map(({ transactionalId }) => transactionalId)
          },
          { within: longestListing },
        ),
      ),
    )
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
  }

  reader(options: ReaderOptions = {}): RemoteReader {
    return this.#keep(new Fetcher(this.#cluster, options))
  }

  writer(options: WriterOptions = {}): RemoteWriter {
    return this.#keep(new KafkaWriter(this.#cluster, options))
  }

  member(options: MemberOptions): RemoteMember {
    const { sessionTimeout: sessionMs } = this.#options
    return new KafkaMember(this.#cluster, sessionMs === undefined ? options : { sessionMs, ...options })
  }

  async release(): Promise<void> {
    await Promise.all([...this.#open].map((one) => one.close()))
    this.#open.clear()
    await this.#release()
  }

  #keep<T extends { close(): Promise<void> }>(one: T): T {
    this.#open.add(one)
    return one
  }

  #atController(ask: (node: number) => Promise<void>): Promise<void> {
    return retrying(async () => ask(await this.#cluster.controller()), {
      before: (error) => {
        if (isAnswer(error, 'notController')) this.#cluster.forgetController()
      },
    })
  }

  #atCoordinator<T>(group: string, ask: () => Promise<T>): Promise<T> {
    return retrying(ask, {
      before: (error) => {
        if (!isAnswer(error, 'unstableOffsetCommit')) this.#cluster.forgetCoordinator('group', group)
      },
    })
  }

  /** Asks each leader for its partitions. @returns answers in the order of the partitions */
  #byLeader<P extends TopicPartition, T>(
    partitions: readonly P[],
    ask: (node: number, list: readonly P[]) => Promise<readonly T[]>,
  ): Promise<readonly T[]> {
    const began = performance.now()
    return retrying(
      async () => {
        const leaders = await Promise.all(
          partitions.map(async ({ topic, partition }) => (await this.#cluster.leader(topic, partition)).leader),
        )
        const answers = new Map<P, T>()
        const groups = Map.groupBy(partitions.keys(), (i) => leaders[i] as number)
        await Promise.all(
          Array.from(groups, async ([node, indices]) => {
            const list = indices.map((i) => partitions[i] as P)
            const found = await ask(node, list)
            for (const [i, one] of list.entries()) answers.set(one, found[i] as T)
          }),
        )
        return partitions.map((one) => answers.get(one) as T)
      },
      {
        before: (error) => {
          // A topic that is not there is told at once, not after a minute; whom the metadata name as leader may hear of it later.
          const named = partitions.every(
            ({ topic, partition }) => this.#cluster.topic(topic)?.partitions[partition] !== undefined,
          )
          if (isAnswer(error, 'unknownTopic') && (!named || performance.now() - began > unknownFor)) throw error
          for (const { topic } of partitions) this.#cluster.forget(topic)
        },
      },
    )
  }
}

const groupIdNotFound = 69

const infoOf = ({ name, id, partitions, replicas }: TopicMetadata): RemoteTopic => ({
  name,
  id: id === noTopicId ? '' : id,
  partitions: partitions.length,
  replicas,
})
