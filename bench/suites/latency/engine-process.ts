/** The engine of a load on Kafka, in a process of its own. Argument: its job as JSON; answers each question of its parent. */
import { kafkaBroker } from '../../../src/index.ts'
import { answering } from '../../harness/apart.ts'
import { type EngineJob, type EngineQuestions, startHere } from './engine.ts'
import { topology } from './open-loop.ts'
import { topics } from './link.ts'

const { brokers, ...job } = JSON.parse(process.argv[2]!) as EngineJob & { readonly brokers: readonly string[] }
const engine = await startHere(job, kafkaBroker({ brokers }), topology(topics, true))
answering<EngineQuestions>({
  begin: () => engine.begin(),
  used: () => engine.used(),
  close: () => engine.close(),
})
