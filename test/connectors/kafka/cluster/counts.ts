import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RemoteBroker, type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import { kafkaBroker, type Topology } from '../../../../src/index.ts'
import { kafka, unique } from '../broker.ts'
import { counting } from '../counting-topology.ts'

/** An app of its own on the cluster: it counts, by key, what comes to `<app>.in`, into `<app>.out`. */
export interface Counts extends AsyncDisposable {
  readonly app: string
  readonly broker: RemoteBroker
  readonly log: RemoteLog
  /** For state. */
  readonly dir: string
  readonly topology: () => Topology
}

export async function counts(name: string): Promise<Counts> {
  const broker = kafkaBroker({ brokers: await kafka() })
  const log = await broker[remote]()
  const app = unique(name)
  const dir = await mkdtemp(join(tmpdir(), `dhaara-${name}-`))
  await log.createTopics([`${app}.in`, `${app}.out`].map((topic) => ({ name: topic, partitions: 1, configs: {} })))
  return {
    app,
    broker,
    log,
    dir,
    topology: () => counting(app),
    async [Symbol.asyncDispose]() {
      const own = (await log.topics()).map((topic) => topic.name).filter((topic) => topic.startsWith(app))
      await log.deleteTopics(own)
      await log.release()
      await rm(dir, { recursive: true, force: true })
    },
  }
}
