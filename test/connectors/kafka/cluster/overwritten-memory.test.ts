import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { bootstrapOf } from '../../../../scripts/kafka/cluster.ts'
import type { ClusterSpec, NodeSpec } from '../../../../scripts/kafka/spec.ts'
import { SpareMemory } from '../../../../src/connectors/broker/spare-memory.ts'
import { type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import { kafkaBroker } from '../../../../src/connectors/kafka/index.ts'
import { produce } from '../../../../src/connectors/kafka/wire/produce.ts'
import { faultyCluster, unique } from '../broker.ts'
import { Proxy } from '../proxy.ts'
import { textRows } from '../rows.ts'
import { readAll } from './read.ts'

const partitions = 3
const membership = { group: 'overwritten', generation: -1, member: '', instance: null }
const short = (text: string): string =>
  `${text.slice(0, 8)} ${text.length} ${createHash('sha1').update(text).digest('hex')}`

describe('memory that is taken again', () => {
  const { give } = SpareMemory.prototype
  let given = 0
  let spec: ClusterSpec
  let log: RemoteLog

  before(async function () {
    this.timeout(120_000)
    spec = await faultyCluster()
    log = await kafkaBroker({ brokers: bootstrapOf(spec) })[remote]()
    SpareMemory.prototype.give = function (memory) {
      given++
      new Uint8Array(memory).fill(0xdb)
      give.call(this, memory)
    }
  })
  after(async function () {
    SpareMemory.prototype.give = give
    await log?.release()
  })

  for (const compression of ['none', 'lz4'] as const)
    it(`is nobody's any more when it is given back: rows of batches with ${compression} that are sent again are whole`, async () => {
      const topic = unique('overwritten')
      await log.createTopics([{ name: topic, partitions, configs: {} }])
      const { port, advertised } = (spec.nodes[0] as NodeSpec).proxied as NonNullable<NodeSpec['proxied']>
      await using proxy = await Proxy.listen(advertised, port)
      const cut = proxy.cut.bind(proxy)
      proxy.cut = () => {
        cut()
        proxy.heal()
      }
      let loss: 'cut' | 'cut before the answer' | undefined
      let lost = 0
      proxy.watch = (bytes) => {
        if (loss === undefined || bytes.length < 8 || bytes.readInt16BE(4) !== produce.key) return 'pass'
        const found = loss
        loss = undefined
        lost++
        return found
      }
      const through = await kafkaBroker({ brokers: [`127.0.0.1:${advertised}`] })[remote]()
      const writer = through.writer({ transactionalId: unique('tx'), compression })
      await writer.init()
      given = 0
      const sent: string[] = []
      for (let n = 0; n < 12; n++) {
        if (n % 3 > 0) loss = n % 3 === 1 ? 'cut' : 'cut before the answer'
        for (let i = 0; i < 4; i++) {
          const texts = Array.from({ length: 40 }, (_, row) => `${n}/${i}/${row} `.repeat(300 + 100 * n))
          for (let p = 0; p < partitions; p++) writer.send(topic, p, textRows(texts)).catch(() => {})
          sent.push(...texts.map(short))
        }
        await writer.commit([{ topic, partition: 0, offset: n }], membership)
      }
      await writer.close()
      await through.release()
      for (let p = 0; p < partitions; p++) assert.deepEqual((await readAll(log, topic, p)).map(short), sent)
      assert.equal(lost, 8)
      assert.ok(given >= 12 * 4 * partitions, `${given} times`)
    })
})
