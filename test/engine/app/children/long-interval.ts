/**
 * More changed state in one checkpoint interval than the heap has room for: only early checkpoints let it come to its end.
 * Arguments: workers. Tells, as a line of JSON, how often it was written.
 */
import assert from 'node:assert/strict'
import { embeddedBroker, type Program, StreamsApp } from '../../../../src/index.ts'
import { moduleUrl, send, type Sent } from '../run.ts'
import topology, { type Visit } from './many-keys.ts'

const workers = Number(process.argv[2])
const keys = 100_000
const note = 'n'.repeat(600)

function* visits(): Generator<Sent> {
  // parts of a longer string would keep it alive
  for (let i = 0; i < keys; i++)
    yield { key: `visitor-${i}`, value: { page: `/${i}`, note: `${i}${note}` } satisfies Visit, timestamp: 1000 + i }
}

const broker = embeddedBroker({ partitions: 2 })
await send(broker, 'visits', visits())
const program: Program = workers === 0 ? { topology } : { topology: moduleUrl('many-keys'), workers }
const app = new StreamsApp({
  applicationId: 'memory',
  ...program,
  broker,
  memoryBytes: 64 << 20,
  cacheBytes: 16 << 20,
  checkpointInterval: '1h',
})
await app.start()
app.endInputs()
await app.completed
const { epochs, recordsOut } = app.metrics()
assert.equal(recordsOut, keys)
await app.close()
console.log(JSON.stringify({ epochs }))
process.exit(0)
