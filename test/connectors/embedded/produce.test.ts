import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type EmbeddedBroker, type EmbeddedLease, openEmbedded } from '../../../src/connectors/broker/index.ts'
import { FrameBuilder } from '../../../src/connectors/broker/frame-builder.ts'
import { frameProblem, recordsProblem, sealFrame } from '../../../src/connectors/broker/frame.ts'
import { headBytes } from '../../../src/connectors/broker/frame-layout.ts'
import { partitionOf } from '../../../src/connectors/broker/partitioner.ts'
import { embeddedBroker, readOwner } from '../../../src/connectors/embedded/index.ts'
import { GatewayClient } from '../../../src/connectors/embedded/gateway-client.ts'
import { type ProduceParams, produceParams, type WireRecord } from '../../../src/connectors/embedded/produce.ts'
import { anyRecord, bytes, frameOf, type PlainRecord, recordsOf } from '../broker/records.ts'
import { temporaryDirectories } from './backends.ts'

const wire = ({ key, value, timestamp, headers }: PlainRecord): WireRecord => ({
  key: key === null ? null : bytes(key),
  value: value === null ? null : bytes(value),
  timestamp,
  ...(headers && { headers: headers.map(([name, v]) => [name, bytes(v)] as const) }),
})

describe('records from another process', () => {
  let broker: EmbeddedBroker
  let lease: EmbeddedLease
  let client: GatewayClient
  let topics = 0

  after(async () => {
    await client.close()
    await broker[Symbol.asyncDispose]()
  })
  // gone behind who uses them
  const directory = temporaryDirectories()

  before(async () => {
    const dir = directory()
    broker = embeddedBroker({ dir })
    lease = await openEmbedded(broker)
    client = await GatewayClient.connect(readOwner(dir)!.socket!)
  })

  const newTopic = (partitions: number): string => {
    const topic = `t${topics++}`
    lease.log.createTopic(topic, partitions)
    return topic
  }
  const send = (params: ProduceParams): Promise<unknown> => client.call('produce', params)
  const read = (topic: string, partition: number): PlainRecord[] => {
    const all: PlainRecord[] = []
    for (let at = 0, batch; (batch = lease.log.fetch(topic, partition, at)) !== undefined; at = batch.nextOffset)
      all.push(...recordsOf(batch))
    return all
  }

  it('come as they were sent, a partition and several', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(anyRecord, { maxLength: 20 }), { minLength: 1, maxLength: 3 }),
        fc.constantFrom(1, 3),
        async (requests, partitions) => {
          const topic = newTopic(partitions)
          for (const records of requests)
            assert.deepEqual(await send(produceParams(topic, records.map(wire))), { records: records.length })
          const all = requests.flat()
          const found = Array.from({ length: partitions }, (_, p) => read(topic, p))
          assert.equal(found.flat().length, all.length)
          found.forEach((records, p) => {
            const keyed = all.filter(({ key }) => key !== null && partitionOf(bytes(key), partitions) === p)
            assert.deepEqual(
              records.filter(({ key }) => key !== null),
              keyed,
            )
          })
          if (partitions === 1) assert.deepEqual(found[0], all)
        },
      ),
      { numRuns: 40 },
    )
  })

  it('come whole where they fill several frames', async () => {
    const records = Array.from({ length: 40 }, (_, i) => ({ key: null, value: Buffer.alloc(100_000, i), timestamp: i }))
    for (const partitions of [1, 3]) {
      const topic = newTopic(partitions)
      const params = produceParams(topic, records)
      assert.ok(params.frames!.length > 2)
      assert.deepEqual(await send(params), { records: 40 })
      const found = Array.from({ length: partitions }, (_, p) => read(topic, p)).flat()
      assert.deepEqual(
        found.map(({ timestamp, value }) => [timestamp, bytes(value!).equals(records[timestamp]!.value)]),
        records.map((_, i) => [i, true]),
      )
    }
  })

  it('go where they say', async () => {
    const topic = newTopic(2)
    const params = produceParams(topic, [{ key: null, value: bytes('x'), timestamp: 1, partition: 1 }])
    assert.equal(params.frames, undefined)
    await send(params)
    assert.deepEqual(read(topic, 1), [{ key: null, value: 'x', timestamp: 1 }])
  })

  it('leave nothing behind where a request is refused', async () => {
    const topic = newTopic(3)
    const record = (value: string, partition: number) => ({ key: null, value: bytes(value), timestamp: 1, partition })
    await send({ topic, records: [0, 1, 2].map((p) => record('before', p)) })
    await assert.rejects(send({ topic, records: [record('lost', 0), record('lost', 2), record('lost', 3)] }), {
      code: 'DHAARA_OPTION',
    })
    await send({ topic, records: [0, 1, 2].map((p) => record('after', p)) })
    assert.deepEqual(
      [0, 1, 2].map((p) => read(topic, p).map(({ value }) => value)),
      [0, 1, 2].map(() => ['before', 'after']),
    )
    const builder = new FrameBuilder({ maxRecordBytes: 10 })
    const params = (...values: string[]) =>
      produceParams(
        topic,
        values.map((value) => ({ key: null, value: bytes(value) })),
        builder,
      )
    assert.throws(() => params('lost', 'too long a record'), { code: 'DHAARA_RECORD_TOO_LARGE' })
    const alone = newTopic(1)
    await send({ ...params('kept'), topic: alone })
    assert.deepEqual(
      read(alone, 0).map(({ value }) => value),
      ['kept'],
    )
  })

  it('are refused, all of a request, where their bytes were changed', async () => {
    const topic = newTopic(1)
    const [good] = produceParams(topic, [{ key: bytes('k'), value: bytes('v'), timestamp: 1 }]).frames!
    for (let at = 0; at < good!.length; at++) {
      const bad = Buffer.from(good!)
      bad[at]! ^= 1
      await assert.rejects(send({ topic, frames: [good!, bad] }), { code: 'DHAARA_DESERIALIZE' }, `byte ${at}`)
    }
    assert.deepEqual(read(topic, 0), [])
  })

  it('are refused where frames with the right checksums tell of records that are not there', () => {
    const records: PlainRecord[] = [
      { key: 'k', value: 'v', timestamp: 1, headers: [['h', 'x']] },
      { key: null, value: 'ww', timestamp: 2 },
    ]
    const changed = (change: (frame: Buffer) => void): string | undefined => {
      const builtAgain = frameOf(records)
      change(builtAgain)
      return recordsProblem(builtAgain)
    }
    const sealed = frameOf(records)
    sealFrame(sealed, 1, 0, 0)
    assert.equal(frameProblem(sealed) ?? recordsProblem(sealed), undefined)
    const ends = headBytes + 2 * 8
    assert.match(changed((frame) => frame.writeUInt32LE(9999, 12))!, /says that it has 9999 records/)
    assert.match(changed((frame) => frame.writeInt32LE(7, ends))!, /ends at byte 2, before it begins at 7/)
    assert.match(changed((frame) => frame.writeInt32LE(5, ends + 12))!, /bytes of records are said to be in/)
    assert.match(changed((frame) => frame.writeInt32LE(-1, ends + 20))!, /headers end at byte -1/)
    assert.match(changed((frame) => frame.writeUInt32LE(3, 16))!, /gaps between their offsets/)
  })
})
