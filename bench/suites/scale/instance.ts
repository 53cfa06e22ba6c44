/** An instance of the app on Kafka, in a process of its own. Argument: its job as JSON; answers each question of its parent. */
import { kafkaBroker, type Logger, StreamsApp } from '../../../src/index.ts'
import { answering } from '../../harness/apart.ts'
import { topologyOf } from '../kafka/subjects/topologies.ts'

export interface InstanceJob {
  readonly brokers: readonly string[]
  readonly app: string
  readonly input: string
  readonly output: string
  /** For its state; nobody else's. */
  readonly dir: string
}

/** What was used since `begin`. */
export interface Used {
  readonly cpuSeconds: number
  readonly peakRssMb: number
}

export interface InstanceQuestions {
  /** The names of those that it has. */
  readonly tasks: readonly string[]
  readonly begin: void
  readonly used: Used
  readonly close: void
}

const { brokers, app: applicationId, input, output, dir: stateDir } = JSON.parse(process.argv[2]!) as InstanceJob

const tasks = new Set<string>()
const logger: Logger = {
  debug() {},
  info(fields) {
    const { coming = [], leaving = [] } = fields as Partial<Record<'coming' | 'leaving', readonly string[]>>
    for (const task of leaving) tasks.delete(task)
    for (const task of coming) tasks.add(task)
  },
  warn() {},
  error: (fields, text) => console.error(text, fields),
}
const broker = kafkaBroker({ brokers })
const topology = topologyOf('keyed-aggregate', input, output, () => {})
const app = new StreamsApp({ applicationId, broker, topology, stateDir, guarantee: 'exactly-once', logger })
await app.start()
let before = process.cpuUsage()
answering<InstanceQuestions>({
  tasks: () => [...tasks].toSorted(),
  begin() {
    before = process.cpuUsage()
  },
  used() {
    const { user, system } = process.cpuUsage(before)
    return { cpuSeconds: (user + system) / 1e6, peakRssMb: process.resourceUsage().maxRSS / 1024 }
  },
  close: () => app.close(),
})
