import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { openEmbedded } from '../../../../src/connectors/broker/index.ts'
import { isWritten, type Outcome, Scribe } from '../../../../src/engine/app/epochs/scribe.ts'
import { embeddedBroker, serdes } from '../../../../src/index.ts'
import { EpochPack, type Packed } from '../../../../src/state/epoch-pack.ts'
import { STATE_SPACE } from '../../../../src/state/stores/index.ts'
import { frameOfValues, recordsOf } from '../../../connectors/broker/records.ts'

const rowKey = (n: number): Buffer => Buffer.of(STATE_SPACE, 255, 255, n >> 8, n & 255)

function packOf(...rows: readonly number[]): Packed {
  const pack = new EpochPack()
  for (const row of rows) pack.put(rowKey(row), Buffer.from(String(row)))
  return pack.take()
}

describe('Scribe', () => {
  let broker: ReturnType<typeof embeddedBroker>
  let lease: Awaited<ReturnType<typeof openEmbedded>>
  let scribe: Scribe

  beforeEach(async () => {
    broker = embeddedBroker()
    lease = await openEmbedded(broker)
    scribe = new Scribe(lease.backend)
  })
  afterEach(async () => {
    await scribe.close()
    await lease.release()
    await broker[Symbol.asyncDispose]()
  })

  const valueOf = (row: number): string | undefined => lease.backend.get(rowKey(row))?.toString()

  it('writes what it is given, in its order, and tells the event loop', async () => {
    const told: Outcome[] = []
    const tell = (outcome: Outcome): void => void told.push(outcome)
    scribe.write([packOf(1, 2), packOf(3)], false, tell)
    const clearing = new EpochPack()
    clearing.put(rowKey(4), Buffer.from('4'))
    clearing.delete(rowKey(1))
    clearing.clearLater(rowKey(2), rowKey(4))
    scribe.write([clearing.take()], true, tell)
    assert.deepEqual(told.slice(), [])
    await scribe.idle()
    assert.deepEqual([1, 2, 3, 4].map(valueOf), [undefined, undefined, undefined, '4'])
    assert.deepEqual(
      told.map((outcome) => 'bytes' in outcome && outcome.bytes > 0),
      [true, true],
    )
  })

  it('is waited for by who cannot come back to the event loop', () => {
    const told: number[] = []
    for (let n = 0; n < 300; n++) {
      scribe.write([packOf(n)], false, () => told.push(n))
      if (n % 3 === 0) scribe.finish()
      if (n % 3 === 0) assert.equal(valueOf(n), String(n))
    }
    scribe.finish()
    assert.deepEqual(
      told,
      Array.from({ length: 300 }, (_, n) => n),
    )
    assert.equal(valueOf(299), '299')
  })

  it('knows what was written when its thread dies, and goes on with another', async () => {
    for (let life = 0; life < 8; life++) {
      const born = once(process, 'worker')
      scribe.start()
      const [thread] = (await born) as [Worker]
      await once(thread, 'online')
      const outcomes: Outcome[] = []
      for (let n = 0; n < 40; n++) scribe.write([packOf(life * 40 + n)], false, (outcome) => outcomes.push(outcome))
      // before the first, within them, or behind the last
      for (let turn = 0; turn < 2 * life; turn++) await new Promise(setImmediate)
      const exited = once(thread, 'exit')
      void thread.terminate()
      await exited
      await scribe.idle()
      for (const [n, outcome] of outcomes.entries()) {
        assert.equal(valueOf(life * 40 + n), isWritten(outcome) ? String(life * 40 + n) : undefined)
      }
      assert.equal(outcomes.length, 40)
    }
    scribe.write([packOf(1000)], false, (outcome) => assert.ok('bytes' in outcome))
    await scribe.idle()
    assert.equal(valueOf(1000), '1000')
  }).timeout(30_000)

  it('has the log to itself: others wait, and offsets go on behind it', async () => {
    const { log, backend, ensureTopic } = lease
    ensureTopic('t')
    const begin = (...values: readonly string[]): void => {
      const pack = new EpochPack()
      const transaction = log.beginApart(pack, () => scribe.finish())
      assert.equal(transaction.append('t', 0, frameOfValues(...values)), log.endOffset('t', 0))
      scribe.write([pack.take()], false, () => transaction.committed())
    }
    const producer = broker.producer<string, string>('t', { key: serdes.string(), value: serdes.string() })
    await producer.send({ value: 'first' })
    begin('a', 'b')
    assert.equal(log.endOffset('t', 0), 1)
    const sent = producer.send({ value: 'c' })
    await sent
    assert.equal(log.endOffset('t', 0), 4)
    begin('d')
    const own = log.begin(backend.batch())
    assert.equal(own.append('t', 0, frameOfValues('e')), 5)
    own.commit()
    begin('f')
    log.settle()
    assert.equal(log.free(), undefined)
    const apart = log.beginApart(new EpochPack(), () => {})
    assert.throws(() => log.begin(backend.batch()), { code: 'DHAARA_INTERNAL' })
    apart.rollback()
    const values: (string | null)[] = []
    for (let at = 0, batch = log.fetch('t', 0, at); batch !== undefined; batch = log.fetch('t', 0, at)) {
      values.push(...recordsOf(batch).map(({ value }) => value))
      at = batch.nextOffset
    }
    assert.deepEqual(values, ['first', 'a', 'b', 'c', 'd', 'e', 'f'])
    await producer.close()
  })
})
