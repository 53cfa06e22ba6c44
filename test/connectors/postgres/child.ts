/** A job that counts numbers by their last digit and writes each count to PostgreSQL; it is killed in the middle. */
import { postgresSink } from '../../../src/connectors/postgres/index.ts'
import { embeddedBroker, StreamsApp, StreamsBuilder } from '../../../src/index.ts'
import { numbers } from '../../engine/connect/worlds.ts'

const [dir = '', connection = '', count = '0'] = process.argv.slice(2)
const builder = new StreamsBuilder()
const row = ({ n, total }: { n: number; total: number }) => ({ n, total })
builder
  .source('numbers', numbers(Number(count), 1, 20))
  .selectKey((n) => n % 10)
  .process<number, { n: number; total: number }>((ctx) => {
    const totals = new Map<number, number>()
    return {
      process(n, key) {
        totals.set(key, Math.floor(n / 10) + 1)
        ctx.forward({ n, total: totals.get(key) as number }, key)
      },
    }
  })
  .sink(postgresSink({ connection, table: 'killed', row, batchRecords: 100 }), { name: 'killed' })
await using app = new StreamsApp({
  applicationId: 'killed',
  topology: builder.build(),
  broker: embeddedBroker({ dir }),
  checkpointInterval: 5,
})
await app.start()
await app.completed
