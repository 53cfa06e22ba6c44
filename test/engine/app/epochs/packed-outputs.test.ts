import assert from 'node:assert/strict'
import { openEmbedded } from '../../../../src/connectors/broker/broker.ts'
import { framesEnd, framesStart, readTopicRow, topicKey } from '../../../../src/connectors/broker/log-keys.ts'
import { isPacked } from '../../../../src/connectors/broker/packed-frame.ts'
import { embeddedBroker } from '../../../../src/index.ts'
import { moduleUrl, read, runToEnd, type Sent, send } from '../run.ts'

function* words(from: number, to: number): Generator<Sent> {
  for (let i = from; i < to; i++) yield { key: `k${i % 4}`, value: `word ${i}`, timestamp: i }
}

const lists = (count: number): string[] => {
  const of = new Map<string, string[]>()
  return Array.from(words(0, count), ({ key, value }) => {
    const list = of.get(key) ?? []
    of.set(key, list)
    list.push(value as string)
    return JSON.stringify([key, list])
  })
}

describe('outputs whose records repeat each other', () => {
  for (const workers of [0, 2]) {
    it(`are stored compressed and read as they were, with ${workers} workers and over a restart`, async () => {
      const broker = embeddedBroker({ partitions: 2 })
      try {
        const app = { topology: moduleUrl('growing-lists'), workers, broker }
        await send(broker, 'words', words(0, 400))
        await runToEnd({ ...app, checkpointInterval: '1m' })
        await send(broker, 'words', words(400, 800))
        await runToEnd({ ...app, checkpointInterval: '1m' })

        const rows = (await read(broker, 'lists')).map(({ key, value }) => JSON.stringify([key, value]))
        assert.deepEqual(rows.toSorted(), lists(800).toSorted())

        const { backend, release } = await openEmbedded(broker)
        const { id } = readTopicRow('lists', backend.get(topicKey('lists'))!)
        const packed = [0, 1].flatMap((p) =>
          Array.from(backend.range({ gte: framesStart(id, p), lt: framesEnd(id, p) }), ([, row]) =>
            isPacked(Buffer.from(row)),
          ),
        )
        await release()
        assert.ok(packed.includes(true), `${packed.length} frames`)
      } finally {
        await broker[Symbol.asyncDispose]()
      }
    }).timeout(60_000)
  }
})
