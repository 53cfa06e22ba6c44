/** An app of the engine, in one thread beside its client's; the variant is its guarantee. */
import { kafkaBroker, StreamsApp } from '../../../../src/index.ts'
import { type Figures, type KafkaJob, type RunJob, watch } from '../job.ts'
import { topologyOf } from './topologies.ts'

export const run: RunJob = async (job: KafkaJob): Promise<Figures> => {
  const { brokers, input, output, warmUp, records, app: applicationId, dir: stateDir, variant } = job
  let seen = 0
  let took = watch()
  const topology = topologyOf(job.case, input, output, () => {
    if (++seen === warmUp) took = watch()
  })
  const guarantee = variant === 'at-least-once' ? variant : 'exactly-once'
  const broker = kafkaBroker({ brokers })
  const app = new StreamsApp({ applicationId, broker, topology, stateDir, guarantee, checkpointInterval: '100ms' })
  await app.start()
  app.endInputs()
  await app.completed
  if (seen !== warmUp + records) throw new Error(`${seen} orders came in, and not ${warmUp + records}`)
  return took(records)
}
