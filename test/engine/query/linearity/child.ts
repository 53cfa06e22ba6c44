/**
 * A process to be killed: runs the app on workers, serves it, and writes what it is told to. `child.ts DIR MARKS PARTITIONS`
 */
import { openEmbedded } from '../../../../src/connectors/broker/index.ts'
import { embeddedBroker, serdes, StreamsApp } from '../../../../src/index.ts'
import { type Write, writesTopic } from './registers.ts'

export type Told =
  /** The last number of each key that the log has. */
  | { readonly type: 'started'; readonly url: string; readonly lasts: Readonly<Record<string, number>> }
  /** The ends of the topic's partitions, when all that was to be written was there. */
  | { readonly type: 'written'; readonly id: number; readonly ends: readonly number[] }

export interface ToWrite {
  readonly id: number
  readonly writes: readonly (readonly [key: string, write: Write])[]
}

const [dir = '', marks = '', partitions = '4'] = process.argv.slice(2)
const tell = (told: Told): void => void process.send?.(told)
const broker = embeddedBroker({ dir, partitions: Number(partitions) })
const lease = await openEmbedded(broker)
lease.ensureTopic(writesTopic)
const key = serdes.string()
const value = serdes.json<Write>()
const lasts: Record<string, number> = {}
const ends = (): number[] => Array.from({ length: Number(partitions) }, (_, p) => lease.log.endOffset(writesTopic, p))
let left = ends().reduce((sum, end) => sum + end, 0)
if (left > 0)
  for await (const record of broker.consumer(writesTopic, { key, value })) {
    lasts[record.key as string] = (record.value as Write).n
    if (--left === 0) break
  }
const app = new StreamsApp({
  applicationId: 'linearity',
  topology: new URL('./registers.ts', import.meta.url),
  workers: 2,
  settings: { marks },
  broker,
  checkpointInterval: '10ms',
  http: { port: 0 },
})
await app.start()
const producer = broker.producer(writesTopic, { key, value })
process.on('message', ({ id, writes }: ToWrite) => {
  void Promise.all(writes.map(([k, v]) => producer.send({ key: k, value: v }))).then(() =>
    tell({ type: 'written', id, ends: ends() }),
  )
})
process.once(
  'SIGTERM',
  () =>
    void producer
      .close()
      .then(() => app.close())
      .then(() => process.exit(0)),
)
tell({ type: 'started', url: app.httpUrl ?? '', lasts })
