/** A job that copies numbers from a file to another one, and counts them by their last digit into a third; it is killed. */
import { join } from 'node:path'
import { csvSource, jsonLinesSink } from '../../../src/connectors/index.ts'
import { embeddedBroker, StreamsApp, StreamsBuilder } from '../../../src/index.ts'

const [dir = ''] = process.argv.slice(2)
const builder = new StreamsBuilder()
const numbers = builder.source(
  'numbers',
  csvSource<{ n: number }>({ path: join(dir, 'in.csv'), types: { n: 'number' } }),
)
let read = 0
numbers
  .mapValues(({ n }) => n)
  .peek(() => {
    // a parent that counts lines sees it go on
    if (++read % 500 === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
  })
  .sink(jsonLinesSink({ path: join(dir, 'copy.jsonl'), rollBytes: 20_000 }), { name: 'copy', batchRecords: 300 })
numbers
  .groupBy(({ n }) => n % 10)
  .count({ store: 'digits' })
  .toStream()
  .sink(jsonLinesSink({ path: join(dir, 'digits.jsonl'), format: 'records' }), { name: 'digits', batchRecords: 300 })
await using app = new StreamsApp({
  applicationId: 'files',
  topology: builder.build(),
  broker: embeddedBroker({ dir: join(dir, 'data') }),
  checkpointInterval: 2,
})
await app.start()
await app.completed
