import { resolve } from 'node:path'
import { type Broker, StreamsApp, type Topology } from '../../../src/index.ts'
import type { CheckpointEvent } from '../../../src/engine/app/engine.ts'
import { startApart } from '../../harness/apart.ts'
import type { Commit } from './parts.ts'
import { clock } from './trace.ts'

export type Guarantee = 'exactly-once' | 'at-least-once'

/** What was used since `begin`. */
export interface Used {
  readonly cpuSeconds: number
  readonly peakRssMb: number
  readonly commits: readonly Commit[]
}

/** The engine under load, wherever it runs. */
export interface Engine {
  begin(): Promise<void>
  used(): Promise<Used>
  close(): Promise<void>
}

/** What its process is asked. */
export interface EngineQuestions {
  readonly begin: void
  readonly used: Used
  readonly close: void
}

export interface EngineJob {
  readonly id: string
  readonly guarantee: Guarantee
  readonly dir: string
}

export async function startHere(job: EngineJob, broker: Broker, topology: Topology): Promise<Engine> {
  const { id: applicationId, guarantee, dir: stateDir } = job
  const app = new StreamsApp({ applicationId, topology, broker, guarantee, stateDir })
  const commits: Commit[] = []
  app.on('checkpoint', ({ ms, parts }: CheckpointEvent) => {
    const sealed = clock() - ms
    commits.push({ sealed, committed: sealed + (parts?.commit === undefined ? ms : parts.flush + parts.commit) })
  })
  await app.start()
  let before = process.cpuUsage()
  return {
    async begin() {
      commits.length = 0
      before = process.cpuUsage()
    },
    used: async () => {
      const { user, system } = process.cpuUsage(before)
      return { cpuSeconds: (user + system) / 1e6, peakRssMb: process.resourceUsage().maxRSS / 1024, commits }
    },
    close: () => app.close(),
  }
}

/** In a process of its own, beside the one that sends and reads: what these do shall not make it late. */
export async function startEngineApart(job: EngineJob, brokers: readonly string[]): Promise<Engine> {
  const script = resolve(import.meta.dirname, 'engine-process.ts')
  const apart = await startApart<EngineQuestions>(script, { ...job, brokers })
  return {
    begin: () => apart.ask('begin'),
    used: () => apart.ask('used'),
    close: async () => {
      await apart.ask('close')
      await apart.end()
    },
  }
}
