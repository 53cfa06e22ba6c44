/** Takes records by HTTP until it is killed; or prints what was taken and not yet processed, and ends. */
import { join } from 'node:path'
import { webhookSource } from '../../../src/connectors/webhook/index.ts'
import { embeddedBroker, StreamsApp, StreamsBuilder } from '../../../src/index.ts'

const [dir = '', mode] = process.argv.slice(2)
const builder = new StreamsBuilder()
const draining = mode === 'drain'
const onListening = ({ port }: { port: number }) => {
  if (!draining) console.log(port)
}
builder.source('hooks', webhookSource<number>({ dir: join(dir, 'journal'), port: 0, onListening })).sink({
  async write({ values }) {
    // nothing is taken while it serves: all that was acknowledged is there to be drained
    if (!draining) await new Promise(() => {})
    for (const value of values) console.log(value)
  },
})
const app = new StreamsApp({
  applicationId: 'child',
  topology: builder.build(),
  broker: embeddedBroker({ dir: join(dir, 'data') }),
  checkpointInterval: 5,
})
await app.start()
if (draining) {
  app.endInputs()
  await app.completed
  process.exit(0)
}
