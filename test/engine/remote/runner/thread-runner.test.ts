import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BroadcastChannel, MessageChannel } from 'node:worker_threads'
import { PortLog } from '../../../../src/connectors/broker/apart/index.ts'
import { Lease } from '../../../../src/connectors/broker/lease.ts'
import { settingsOf } from '../../../../src/engine/app/settings/options.ts'
import { Crew } from '../../../../src/engine/remote/runner/crew.ts'
import type { Assignment } from '../../../../src/engine/remote/runner/task-runner.ts'
import { ThreadRunner } from '../../../../src/engine/remote/runner/thread-runner.ts'
import { embeddedBroker } from '../../../../src/index.ts'
import { openRocks, type RocksBackend } from '../../../../src/state/backends/index.ts'
import topology from './children/told.ts'

const nothing = new Map<string, number>()
const assignment: Omit<Assignment, 'tasks'> = {
  topics: {
    all: new Map(['in', 'out'].map((name) => [name, { name, partitions: 1, id: name, replicas: 1 }])),
    partitions: [1],
    changelogs: [{ topic: 'tasks', partitions: 1, sub: 0 }],
    repartitions: [],
  },
  positions: { committed: nothing, starts: nothing },
  ends: nothing,
  membership: { group: 'test', generation: 1, member: 'one', instance: null },
}

describe('a runner on a thread', () => {
  let dir: string
  let backend: RocksBackend
  let thread: BroadcastChannel
  /** Nobody answers at its other end: what is tested comes before anything is asked for there. */
  let log: MessageChannel
  let refused: number
  let failures: unknown[]
  let loads: () => Promise<void>

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'dhaara-runner-'))
    backend = await openRocks(dir)
    thread = new BroadcastChannel(dir)
    log = new MessageChannel()
    refused = 0
    failures = []
    let heard = Promise.withResolvers<void>()
    thread.onmessage = ({ data }) => {
      if (data === 'loads') heard.resolve()
    }
    loads = async () => {
      await heard.promise
      heard = Promise.withResolvers()
    }
  })
  afterEach(async () => {
    thread.close()
    log.port1.close()
    await backend.close()
    await rm(dir, { recursive: true })
  })

  async function crewOf(): Promise<Crew> {
    const url = new URL('./children/told.ts', import.meta.url)
    const events = {
      checkpoint() {},
      written() {},
      ended() {},
      refused: () => void refused++,
      failed: (error: unknown) => void failures.push(error),
    }
    const hire = {
      count: 1,
      here: false,
      hire: (number: number, heard: typeof events, lease: Lease) =>
        ThreadRunner.hire({
          program: { url, settings: { channel: dir }, hash: topology.hash, workers: 1 },
          number,
          settings: settingsOf({ applicationId: 'test', broker: embeddedBroker() }),
          log: new PortLog(log.port1),
          backend,
          ids: { idOf: () => 1 },
          transactionalId: 'test',
          events: heard,
          lease,
        }),
    }
    const hired = Crew.hire(hire, events, new Lease())
    await loads()
    thread.postMessage('up')
    return hired
  }

  it('that dies again while it loads still comes to what was asked for meanwhile', async () => {
    const crew = await crewOf()
    thread.postMessage('end')
    await loads()
    const held = crew.hold(60_000)
    thread.postMessage('end')
    await loads()
    thread.postMessage('up')
    assert.equal(await held, true)
    assert.deepEqual({ refused, failures }, { refused: 1, failures: [] })
    await crew.abandon()
  })

  it('can be ended while its next thread loads, which dies', async () => {
    const crew = await crewOf()
    thread.postMessage('end')
    await loads()
    const stopped = crew.stop()
    thread.postMessage('end')
    await stopped
    assert.deepEqual(failures, [])
  })

  it('takes no tasks before it is fenced: the thread that was may have left something open', async () => {
    const crew = await crewOf()
    await crew.assign(['0_0'], assignment)
    assert.deepEqual(crew.tasks, [])
    await crew.abandon()
  })
})
