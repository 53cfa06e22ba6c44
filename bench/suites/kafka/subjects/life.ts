/**
 * An instance of the engine that is started on what another one has left: it tells how long that took, goes through the rest of
 * the input, tells that, and waits to be killed. Speaks as the program in Java does: a line of figures, then `done`.
 */
import { kafkaBroker, StreamsApp } from '../../../../src/index.ts'
import { type KafkaJob, watch } from '../job.ts'
import { topologyOf } from './topologies.ts'

const { brokers, input, output, records, app: applicationId, dir: stateDir } = JSON.parse(process.argv[2]!) as KafkaJob

const topology = topologyOf('keyed-aggregate', input, output, () => {})
const app = new StreamsApp({
  applicationId,
  broker: kafkaBroker({ brokers }),
  topology,
  stateDir,
  checkpointInterval: '100ms',
  instanceId: 'one',
})
const done = new Promise<void>((resolve) => {
  const look = (): void => {
    if (app.metrics()['recordsIn'] === records) resolve()
  }
  app.on('checkpoint', look)
  app.on('state', look)
})
const took = watch()
await app.start()
console.log(JSON.stringify(took(1)))
await done
console.log('done')
