/** The engine of a load on Kafka, in a process of its own. Argument: its job as JSON; answers each question of its parent. */
import { kafkaBroker } from '../../../src/index.ts'
import { type EngineJob, startHere } from './engine.ts'
import { topology } from './open-loop.ts'
import { topics } from './link.ts'

const { brokers, ...job } = JSON.parse(process.argv[2]!) as EngineJob & { readonly brokers: readonly string[] }
const engine = await startHere(job, kafkaBroker({ brokers }), topology(topics, true))
process.on('message', (question: 'begin' | 'used' | 'close') => {
  void engine[question]().then((value: unknown) => process.send?.(value ?? 'done'))
})
process.once('disconnect', () => process.exit())
process.send?.('running')
