import assert from 'node:assert/strict'
import { embeddedBroker } from '../../../src/index.ts'
import topology, { seen } from './children/asking.ts'
import { moduleUrl, type Row, read, runToEnd, type Sent, send } from './run.ts'

function* questions(count: number): Generator<Sent> {
  for (let i = 0; i < count; i++) yield { key: `k${i % 7}`, value: i, timestamp: 1000 + i }
}

/** Of each key, in order; each once. */
function check(answers: readonly Row[], count: number): void {
  for (let k = 0; k < 7; k++) {
    const own = answers.filter(({ key }) => key === `k${k}`).map(({ value }) => value)
    const expected = Array.from({ length: count }, (_, i) => i).filter((i) => i % 7 === k)
    assert.deepEqual(
      own,
      expected.map((i) => i * 2),
    )
  }
}

describe('mapAsync in an app', () => {
  it('answers each record once, in the order of its key, with no more calls at a time than it may make', async () => {
    const broker = embeddedBroker({ partitions: 1 })
    await send(broker, 'numbers', questions(400))
    seen.most = 0
    seen.failAt = -1
    await runToEnd({ topology, broker, checkpointInterval: '1ms' })
    check(await read(broker, 'answers'), 400)
    assert.equal(seen.most, 5)
    const digits = new Map((await read(broker, 'digits')).map(({ key, value }) => [key, value]))
    assert.deepEqual(digits.get('last digit 8'), { n: 80, most: 798 })
    await broker[Symbol.asyncDispose]()
  }).timeout(20_000)

  it('asks again, where a run has failed, for what had no answer', async () => {
    const broker = embeddedBroker({ partitions: 2 })
    await send(broker, 'numbers', questions(300))
    for (const failAt of [40, 200, 299]) {
      seen.failAt = failAt
      await assert.rejects(runToEnd({ topology, broker, checkpointInterval: '1ms' }), { code: 'DHAARA_ASYNC_FAILED' })
    }
    seen.failAt = -1
    await runToEnd({ topology, broker, checkpointInterval: '1ms' })
    check(await read(broker, 'answers'), 300)
    await broker[Symbol.asyncDispose]()
  }).timeout(20_000)

  it('runs on worker threads', async () => {
    const broker = embeddedBroker({ partitions: 3 })
    await send(broker, 'numbers', questions(600))
    await runToEnd({ topology: moduleUrl('asking'), workers: 2, broker, checkpointInterval: '5ms' })
    check(await read(broker, 'answers'), 600)
    const digits = new Map((await read(broker, 'digits')).map(({ key, value }) => [key, value]))
    assert.deepEqual(digits.get('last digit 8'), { n: 120, most: 1198 })
    await broker[Symbol.asyncDispose]()
  }).timeout(30_000)
})
