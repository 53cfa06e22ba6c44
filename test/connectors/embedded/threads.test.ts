import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { openEmbedded } from '../../../src/connectors/broker/index.ts'
import { embeddedBroker } from '../../../src/connectors/embedded/index.ts'
import { frameOfValues } from '../broker/records.ts'

describe('a log in another thread', () => {
  it('is read through the shared database, as of the last commit', async () => {
    const broker = embeddedBroker({ partitions: 2 })
    const { log, backend, ensureTopic } = await openEmbedded(broker)
    ensureTopic('t')
    const worker = new Worker(new URL('children/read-log.ts', import.meta.url), { workerData: backend.handle })
    const read = async (offset: number, topic = 't'): Promise<unknown> => {
      worker.postMessage({ topic, partition: 1, offset })
      return (await once(worker, 'message'))[0]
    }
    assert.equal(await read(0), null)
    const transaction = log.begin(backend.batch())
    transaction.append('t', 1, frameOfValues('a', 'b'))
    transaction.commit()
    assert.deepEqual(await read(0), ['a', 'b'])
    assert.deepEqual(await read(1), ['b'])
    assert.equal(await read(2), null)
    log.createTopic('later', 2)
    assert.equal(await read(0, 'later'), null)
    await worker.terminate()
    await broker[Symbol.asyncDispose]()
  })
})
