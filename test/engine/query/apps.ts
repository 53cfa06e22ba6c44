import { setImmediate } from 'node:timers/promises'
import { type AppOptions, type EmbeddedBrokerOptions, embeddedBroker, serdes, StreamsApp } from '../../../src/index.ts'
import { temporaryDirectories } from '../../connectors/embedded/backends.ts'
import type { Reading } from './fixtures/stores.ts'
import topology from './fixtures/stores.ts'

const minute = 60_000
/** A test that has failed must not run on. */
const patience = 60_000
export const start = Date.UTC(2026, 9, 20)

/** Readings of a few sensors in a few cities, half a minute apart. */
export const readings = (n: number, from = 0): Reading[] =>
  Array.from({ length: n }, (_, i) => from + i).map((i) => ({
    sensor: `s${i % 7}`,
    city: ['Pune', 'Goa', 'Agra'][(i % 7) % 3] as string,
    n: i,
    at: start + (i * minute) / 2,
  }))

export interface Running extends AsyncDisposable {
  readonly app: StreamsApp
  /** Resolves when they are in the topic. */
  send(readings: readonly Reading[]): Promise<void>
  /** Runs until this holds. */
  until(holds: () => boolean | Promise<boolean>): Promise<void>
}

/** Starts apps on the topology of all stores; those that run at the end of the suite are closed. */
export function apps(): (options: {
  readonly workers?: number
  readonly partitions?: number
  readonly dir?: string
  readonly checkpointInterval?: '1d' | '10ms'
  readonly http?: AppOptions['http']
}) => Promise<Running> {
  const open = new AsyncDisposableStack()
  after(() => open.disposeAsync())
  const directory = temporaryDirectories()
  return async ({ workers = 0, partitions = 3, dir = directory(), checkpointInterval = '10ms', http = false }) => {
    const broker = embeddedBroker({ dir, partitions } satisfies EmbeddedBrokerOptions)
    const url = new URL('./fixtures/stores.ts', import.meta.url)
    const program = workers === 0 ? { topology } : { topology: url, workers }
    const app = new StreamsApp({ applicationId: 'stores', ...program, broker, checkpointInterval, http })
    await app.start()
    const producer = broker.producer('readings', { key: serdes.string(), value: serdes.json<Reading>() })
    return open.use({
      app,
      async send(all) {
        await Promise.all(all.map((value) => producer.send({ key: value.sensor, value, timestamp: value.at })))
      },
      async until(holds) {
        const signal = AbortSignal.timeout(patience)
        while (!(await holds())) {
          signal.throwIfAborted()
          await setImmediate()
        }
      },
      async [Symbol.asyncDispose]() {
        await producer.close()
        await app.close()
        await (broker as unknown as AsyncDisposable)[Symbol.asyncDispose]()
      },
    })
  }
}
