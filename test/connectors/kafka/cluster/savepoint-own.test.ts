import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type RemoteBroker, type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import { planOf } from '../../../../src/dsl/topology/plan-of.ts'
import { settingsOf } from '../../../../src/engine/app/settings/options.ts'
import { compile } from '../../../../src/engine/plan/compile.ts'
import { savepointToLog } from '../../../../src/engine/remote/savepoint/index.ts'
import { kafkaBroker, StreamsApp } from '../../../../src/index.ts'
import { kafka, unique } from '../broker.ts'
import { countsInBox, inBox, ownTopology } from '../own-topology.ts'

/** Of each partition of the source. */
const count = 4000
const perKey = (4 * count) / 10
const from = (first: number): number[] => Array.from({ length: perKey - first + 1 }, (_, i) => first + i)

describe('a savepoint on Kafka of an app with sources and sinks of its own', function () {
  this.timeout(60_000)
  let broker: RemoteBroker
  let log: RemoteLog
  let app: string
  let dir: string
  beforeEach(async () => {
    broker = kafkaBroker({ brokers: await kafka() })
    log = await broker[remote]()
    app = unique('owned')
    dir = mkdtempSync(join(tmpdir(), 'dhaara-owned-'))
  })
  afterEach(async () => {
    await log.deleteTopics((await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(app)))
    await log.release()
    rmSync(dir, { recursive: true, force: true })
  })

  it('is of one moment: who goes on from it gives its sinks what came after, and nothing twice', async () => {
    const [mine, others] = [join(dir, 'mine'), join(dir, 'others')]
    const options = { broker, checkpointInterval: 20 } as const
    const make = () => new StreamsApp({ ...options, applicationId: app, topology: ownTopology(mine, count, 200) })
    const [first, second] = [make(), make()]
    await first.start()
    await second.start()
    while (inBox(mine).length < 500) await delay(5)
    await first.savepoint(join(dir, 'savepoint'))
    await first.completed
    await second.completed

    const next = `${app}-next`
    const topology = ownTopology(others, count, 0)
    const settings = settingsOf({ ...options, applicationId: next, topology } as never)
    await savepointToLog({ log, settings, plan: compile(planOf(topology)) }, join(dir, 'savepoint'), 'keep')
    const after = new StreamsApp({ ...options, applicationId: next, topology })
    await after.start()
    await after.completed

    const [all, later] = [countsInBox(mine), countsInBox(others)]
    let begun = 0
    for (let key = 0; key < 10; key++) {
      assert.deepEqual(all.get(String(key)), from(1))
      const found = later.get(String(key)) as number[]
      assert.deepEqual(found, from(found[0] as number), `key ${key}`)
      begun += (found[0] as number) - 1
    }
    // in the midst of it
    assert.ok(begun >= 500 && begun < 10 * perKey, `${begun}`)
  })
})
