import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { bootstrapOf } from '../../../../scripts/kafka/cluster.ts'
import type { ClusterSpec, NodeSpec } from '../../../../scripts/kafka/spec.ts'
import { type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import { kafkaBroker } from '../../../../src/connectors/kafka/index.ts'
import { produce } from '../../../../src/connectors/kafka/wire/produce.ts'
import { faultyCluster, unique } from '../broker.ts'
import { Proxy } from '../proxy.ts'
import { textRows } from '../rows.ts'
import { readAll } from './read.ts'

const partitions = 6

describe('a broker that cannot be reached for a while', () => {
  let spec: ClusterSpec
  let log: RemoteLog

  before(async function () {
    this.timeout(120_000)
    spec = await faultyCluster()
    log = await kafkaBroker({ brokers: bootstrapOf(spec) })[remote]()
  })
  after(() => log?.release())

  it('is asked again now and then, however many partitions wait for it, and gets all of them once', async () => {
    const topic = unique('unreachable')
    await log.createTopics([{ name: topic, partitions, configs: {} }])
    const { port, advertised } = (spec.nodes[0] as NodeSpec).proxied as NonNullable<NodeSpec['proxied']>
    await using proxy = await Proxy.listen(advertised, port)
    proxy.watch = (bytes) =>
      bytes.length >= 8 && bytes.readInt16BE(4) === produce.key ? 'cut before the answer' : 'pass'
    const through = await kafkaBroker({ brokers: [`127.0.0.1:${advertised}`] })[remote]()
    const writer = through.writer()
    await writer.init()
    const values = Array.from({ length: 4 }, (_, n) => `value ${n}`)
    for (const value of values)
      for (let p = 0; p < partitions; p++) writer.send(topic, p, textRows([value])).catch(() => {})
    await proxy.broken
    await delay(2_500)
    // two addresses a try, twenty tries a second at most for each partition
    const most = 2 * 20 * 2.5 * partitions
    assert.ok(proxy.refused > 0 && proxy.refused <= most, `${proxy.refused} times`)
    proxy.watch = () => 'pass'
    proxy.heal()
    await writer.flush()
    await writer.close()
    await through.release()
    for (let p = 0; p < partitions; p++) assert.deepEqual(await readAll(log, topic, p), values)
  })
})
