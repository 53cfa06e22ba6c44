import { setTimeout as sleep } from 'node:timers/promises'
import { type Broker, type Producer, serdes } from '../../src/index.ts'

/** An event on its way into a topic. */
export interface Input {
  readonly topic: string
  readonly key: string
  readonly value: object
  readonly timestamp: number
}

/** Sends of one turn of the event loop are one commit of the log; the app takes its turn between them. */
const CHUNK = 1000

/** Sends events to their topics, in their order. */
export class Sender {
  /** Events that are in the topics, with those of a former run. */
  sent = 0
  readonly counted: Record<string, number> = {}
  readonly #broker: Broker
  readonly #counts: (input: Input) => string | undefined
  readonly #before: Map<string, number>
  readonly #producers = new Map<string, Producer<string, object>>()

  /** @param before how many events of each topic a former run has sent; they are not sent again */
  constructor(
    broker: Broker,
    { counts }: { readonly counts: (input: Input) => string | undefined },
    before: ReadonlyMap<string, number>,
  ) {
    this.#broker = broker
    this.#counts = counts
    this.#before = new Map(before)
  }

  /** @param rate events a second; as fast as they are processed without it */
  async send(inputs: Iterable<Input>, rate: number | undefined, signal: AbortSignal): Promise<void> {
    const chunk = rate === undefined ? CHUNK : Math.min(CHUNK, Math.ceil(rate / 50))
    const started = performance.now()
    let n = 0
    let commit: Promise<void> | undefined
    try {
      for (const input of inputs) {
        const before = this.#before.get(input.topic) ?? 0
        if (before > 0) {
          this.#before.set(input.topic, before - 1)
          this.#count(input)
          continue
        }
        const { topic, key, value, timestamp } = input
        commit = this.#producer(topic).send({ key, value, timestamp })
        this.#count(input)
        if (++n % chunk !== 0) continue
        await commit
        const ahead = rate === undefined ? 0 : (n * 1000) / rate - (performance.now() - started)
        if (ahead > 1) await sleep(ahead, undefined, { signal }).catch(() => undefined)
        if (signal.aborted) return
      }
    } finally {
      await Promise.all([...this.#producers.values()].map((producer) => producer.close()))
    }
  }

  #count(input: Input): void {
    this.sent++
    const name = this.#counts(input)
    if (name !== undefined) this.counted[name] = (this.counted[name] ?? 0) + 1
  }

  #producer(topic: string): Producer<string, object> {
    let producer = this.#producers.get(topic)
    if (producer === undefined) {
      producer = this.#broker.producer(topic, { key: serdes.string(), value: serdes.json<object>() })
      this.#producers.set(topic, producer)
    }
    return producer
  }
}
