import { DhaaraError } from '../../errors/index.ts'
import type { BrokerParts, ConsumerOptions, OutputRecord, Producer, ProducerOptions } from '../broker/broker.ts'
import { type RemoteBroker, type RemoteLog, remote } from '../broker/remote.ts'
import { openApart } from './apart.ts'
import type { KafkaCluster } from './cluster.ts'
import { consume } from './consumer.ts'
import type { KafkaBrokerOptions } from './options.ts'
import { KafkaProducer } from './producer.ts'

class Kafka implements BrokerParts, AsyncDisposable {
  readonly kind = 'kafka'
  readonly #options: KafkaBrokerOptions
  #cluster: Promise<KafkaCluster> | undefined
  #users = 0
  #disposed = false

  constructor(options: KafkaBrokerOptions) {
    this.#options = options
  }

  producer<K, V>(topic: string, options: ProducerOptions<K, V>): Producer<K, V> {
    return new KafkaProducer(topic, options, this.open())
  }

  consumer<K, V>(topic: string, options: ConsumerOptions<K, V>): AsyncIterable<OutputRecord<K | null, V | null>> {
    return { [Symbol.asyncIterator]: () => consume(topic, options, () => this.open()) }
  }

  [remote](where?: { readonly apart: boolean }): Promise<RemoteLog> {
    return where?.apart ? this.#openApart() : this.open()
  }

  async #openApart(): Promise<RemoteLog> {
    if (this.#disposed) throw closed()
    return openApart(this.#options)
  }

  async open(): Promise<RemoteLog> {
    if (this.#disposed) throw closed()
    this.#users++
    let released = false
    const release = async (): Promise<void> => {
      if (released) return
      released = true
      if (--this.#users === 0) await this.#close()
    }
    try {
      // native code among it: only for those that connect
      this.#cluster ??= import('./open.ts').then(({ openCluster }) => openCluster(this.#options))
      const [{ KafkaLog }, cluster] = await Promise.all([import('./log.ts'), this.#cluster])
      return new KafkaLog(cluster, this.#options, release)
    } catch (error) {
      this.#cluster = undefined
      await release()
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true
    await this.#close()
  }

  async #close(): Promise<void> {
    const cluster = this.#cluster
    this.#cluster = undefined
    await (await cluster?.catch(() => undefined))?.close()
  }
}

const closed = (): DhaaraError => new DhaaraError('DHAARA_APP_STATE', 'This broker is closed; make another one')

/**
 * Topics of an Apache Kafka cluster (2.8 or newer). Needs `@platformatic/kafka` 2.x or `kafkajs` 2.2 beside dhaara. Nothing is
 * connected before the first use; connections are closed when all producers, consumers and apps are.
 *
 * @throws DhaaraError DHAARA_OPTION; the first use: DHAARA_KAFKA_CLIENT, DHAARA_KAFKA_CONNECT, DHAARA_KAFKA_AUTH,
 *   DHAARA_KAFKA_VERSION
 * @example
 * const broker = kafkaBroker({ brokers: ['localhost:9092'] })
 */
export function kafkaBroker(options: KafkaBrokerOptions): RemoteBroker {
  if (options.brokers.length === 0)
    throw new DhaaraError('DHAARA_OPTION', 'brokers is empty; give the host:port of one at least')
  return new Kafka(options) as BrokerParts as RemoteBroker
}
