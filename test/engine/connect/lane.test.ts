import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { serdes, StreamsBuilder } from '../../../src/index.ts'
import { planOf } from '../../../src/dsl/topology/plan-of.ts'
import { Lane } from '../../../src/engine/connect/lane.ts'
import { OutboxRows } from '../../../src/engine/connect/outbox-rows.ts'
import { systemClock } from '../../../src/engine/runtime/clock.ts'
import { MemoryBackend } from '../../../src/state/backends/index.ts'
import { statePrefix } from '../../../src/state/stores/index.ts'

describe('the way of a task to its sink, while nobody knows whether the task is still here', () => {
  const told: string[] = []
  let holds: boolean
  let asked: PromiseWithResolvers<void>

  function lane(): Lane {
    const builder = new StreamsBuilder()
    builder.stream('in', { key: serdes.string(), value: serdes.string() }).sink(
      () => ({
        open: () => void told.push('open'),
        recover: (epoch) => void told.push(`recover ${epoch}`),
        write() {},
        close: () => void told.push('close'),
      }),
      { name: 'box' },
    )
    const node = planOf(builder.build()).nodes.find(({ kind }) => kind === 'deliver')
    assert.ok(node?.kind === 'deliver')
    return new Lane({
      node,
      rows: new OutboxRows(statePrefix(7, 0)),
      reader: new MemoryBackend(),
      task: {
        applicationId: 'a',
        name: 'box',
        partition: 0,
        partitions: 1,
        id: `box-0-${randomUUID()}`,
        signal: new AbortController().signal,
        warn() {},
      },
      clock: systemClock,
      settle() {},
      holds() {
        asked.resolve()
        return holds
      },
      delivered() {},
    })
  }

  beforeEach(() => {
    told.length = 0
    holds = false
    asked = Promise.withResolvers()
  })

  it('waits: the sink is neither opened nor put back until that is known', async () => {
    const one = lane()
    one.look((error) => assert.fail(String(error)))
    await asked.promise
    assert.deepEqual(told, [])
    holds = true
    await one.settled()
    assert.deepEqual(told, ['open', 'recover 0'])
    await one.close()
  })

  it('is left without a word where the task is gone', async () => {
    const one = lane()
    one.look((error) => assert.fail(String(error)))
    await asked.promise
    await one.close()
    assert.deepEqual(told, [])
  })
})
