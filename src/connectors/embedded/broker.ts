import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DhaaraError } from '../../errors/index.ts'
import type {
  BrokerParts,
  ConsumerOptions,
  EmbeddedBroker,
  EmbeddedLease,
  EmbeddedMemory,
  OutputRecord,
  Producer,
  ProducerOptions,
} from '../broker/broker.ts'
import { lease } from '../broker/broker.ts'
import type { TopicConfig, TopicInfo } from '../broker/log.ts'
import { type ConsumerContext, EmbeddedConsumer } from './consumer.ts'
import { openDirectory } from './directory.ts'
import { Gateway, socketPath } from './gateway.ts'
import { ConsumerGroup } from './group.ts'
import { EmbeddedLog } from './log.ts'
import { EmbeddedProducer } from './producer.ts'
import { addTopicRequests, Requests } from './requests.ts'

export type DurationText = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

export interface EmbeddedBrokerOptions {
  /** Where topics and state live. Without it: a temporary directory, removed when the broker is disposed of or the process ends. */
  readonly dir?: string
  /** Of topics that are made at first use; default 1. */
  readonly partitions?: number
  /** How long topics that are made at first use keep records: milliseconds, or text such as '7d'; default: for ever. */
  readonly retention?: number | DurationText
  /** Make topics at first use; default true. Otherwise an unknown topic is an error. */
  readonly createTopics?: boolean
}

/** Milliseconds between two looks for what retention and compaction have to do. */
const maintenanceInterval = 10_000

/** Directories that go with the process. */
const temporary = new Set<string>()
process.once('exit', () => {
  for (const path of temporary) rmSync(path, { recursive: true, force: true })
})

type Opened = Omit<EmbeddedLease, 'release'> & { close(): Promise<void> }

class Embedded implements BrokerParts, AsyncDisposable, ConsumerContext {
  readonly kind = 'embedded'
  readonly #options: EmbeddedBrokerOptions
  readonly #topicConfig: TopicConfig | undefined
  readonly #groups = new Map<string, ConsumerGroup>()
  #opening: Promise<Opened> | undefined
  #closing: Promise<void> | undefined
  #leases = 0
  #disposed = false
  #temporary: string | undefined
  #awake: { timer: NodeJS.Timeout; holders: number } | undefined

  constructor(options: EmbeddedBrokerOptions) {
    this.#options = options
    this.#topicConfig = options.retention === undefined ? undefined : { retentionMs: milliseconds(options.retention) }
  }

  producer<K, V>(topic: string, options: ProducerOptions<K, V>): Producer<K, V> {
    return new EmbeddedProducer(topic, options, this.open())
  }

  consumer<K, V>(topic: string, options: ConsumerOptions<K, V>): AsyncIterable<OutputRecord<K | null, V | null>> {
    return { [Symbol.asyncIterator]: () => new EmbeddedConsumer(topic, options, this) }
  }

  async open(memory: EmbeddedMemory = {}): Promise<EmbeddedLease> {
    if (this.#disposed) throw new DhaaraError('DHAARA_APP_STATE', 'This broker is closed; make another one')
    this.#leases++
    let released = false
    const release = async (): Promise<void> => {
      if (released) return
      released = true
      this.#leases--
      // A temporary directory holds what was done so far: others may still want to read it.
      if (this.#leases === 0 && this.#options.dir !== undefined) await this.#close()
    }
    try {
      await this.#closing?.catch(() => undefined)
      this.#opening ??= this.#open(memory)
      return { ...(await this.#opening), release }
    } catch (error) {
      this.#opening = undefined
      await release()
      throw error
    }
  }

  [lease](memory?: EmbeddedMemory): Promise<EmbeddedLease> {
    return this.open(memory)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true
    await this.#close()
    if (this.#temporary === undefined) return
    temporary.delete(this.#temporary)
    rmSync(this.#temporary, { recursive: true, force: true })
  }

  group(name: string, topic: string, partitions: number): ConsumerGroup {
    // Neither name can hold a NUL that would make two pairs equal: topics have plain names.
    const id = `${topic}\0${name}`
    let group = this.#groups.get(id)
    if (group === undefined || group.isEmpty) this.#groups.set(id, (group = new ConsumerGroup(partitions)))
    return group
  }

  keepAlive(): Disposable {
    this.#awake ??= { timer: setInterval(() => undefined, 2 ** 30), holders: 0 }
    const awake = this.#awake
    awake.holders++
    return {
      [Symbol.dispose]: () => {
        if (--awake.holders > 0) return
        clearInterval(awake.timer)
        if (this.#awake === awake) this.#awake = undefined
      },
    }
  }

  async #open(memory: EmbeddedMemory): Promise<Opened> {
    const path = this.#options.dir ?? (await this.#temporaryDirectory())
    const directory = await openDirectory(path, memory)
    const { backend } = directory
    const log = new EmbeddedLog(backend)
    const requests = new Requests()
    const ensureTopic = (name: string): TopicInfo => this.#ensureTopic(log, name)
    addTopicRequests(requests, { backend, log, ensureTopic })
    let gateway: Gateway | undefined
    // Nobody knows of a temporary directory.
    if (this.#options.dir !== undefined) {
      try {
        gateway = await Gateway.listen(socketPath(directory.path), requests)
      } catch (error) {
        await directory.close()
        throw error
      }
      directory.announce(gateway.path)
    }
    const maintenance = maintain(log)
    return {
      backend,
      log,
      path: directory.path,
      ensureTopic,
      handle: (name, handler) => requests.handle(name, handler),
      request: (name, params, signal) => requests.call(name, params, signal),
      async close() {
        maintenance[Symbol.dispose]()
        await gateway?.close()
        await directory.close()
      },
    }
  }

  #ensureTopic(log: EmbeddedLog, name: string): TopicInfo {
    const topic = log.topic(name)
    if (topic !== undefined) return topic
    if (this.#options.createTopics === false) log.endOffset(name, 0)
    return log.createTopic(name, this.#options.partitions ?? 1, this.#topicConfig)
  }

  async #close(): Promise<void> {
    const opening = this.#opening
    this.#opening = undefined
    if (opening !== undefined) this.#closing = opening.then((opened) => opened.close())
    await this.#closing
  }

  async #temporaryDirectory(): Promise<string> {
    if (this.#temporary !== undefined) return this.#temporary
    const path = await mkdtemp(join(tmpdir(), 'dhaara-'))
    this.#temporary = path
    temporary.add(path)
    return path
  }
}

/** Retention and compaction in the background, a bounded step at a time. */
function maintain(log: EmbeddedLog): Disposable {
  let immediate: NodeJS.Immediate | undefined
  let warned = false
  const step = (): void => {
    try {
      immediate = log.maintain(Date.now()) ? setImmediate(step) : undefined
      immediate?.unref()
    } catch (error) {
      immediate = undefined
      // It is tried again; what cannot be read or written shows in the next fetch or commit.
      if (!warned) process.emitWarning(error as Error)
      warned = true
    }
  }
  const timer = setInterval(step, maintenanceInterval)
  timer.unref()
  return {
    [Symbol.dispose]: () => {
      clearInterval(timer)
      clearImmediate(immediate)
    },
  }
}

/**
 * A broker in this process: durable, partitioned topics in a directory, with offsets and groups as Kafka has them. One process
 * holds a directory at a time; others go through it. Give one object to all apps of a process.
 *
 * Nothing is opened before the first use. The directory is let go of when all producers, consumers and apps are closed.
 *
 * @throws DhaaraError DHAARA_OPTION; the first use: DHAARA_STATE_LOCKED, DHAARA_STATE_CORRUPT, DHAARA_STATE_VERSION
 * @example
 * const broker = embeddedBroker({ dir: './data', partitions: 4 })
 */
export function embeddedBroker(options: EmbeddedBrokerOptions = {}): EmbeddedBroker {
  const { partitions = 1 } = options
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > 65_536) {
    throw new DhaaraError('DHAARA_OPTION', `partitions is ${partitions}; give a whole number from 1 to 65536`)
  }
  return new Embedded(options) as BrokerParts as EmbeddedBroker
}

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function milliseconds(retention: number | DurationText): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(String(retention)) ?? []
  const ms = number === undefined ? retention : Number(number) * units[unit as keyof typeof units]
  if (typeof ms === 'number' && ms > 0 && ms < Number.POSITIVE_INFINITY) return ms
  throw new DhaaraError('DHAARA_DURATION', `retention is ${retention}; give milliseconds or text such as '7d'`)
}
