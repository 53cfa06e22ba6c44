import { setTimeout as delay } from 'node:timers/promises'
import { bootstrapOf, startCluster, stopCluster } from '../../../../scripts/kafka/cluster.ts'
import { type NodeSpec, nodeUp, startNode, stopNode } from '../../../../scripts/kafka/node.ts'
import { Trial } from './trial.ts'

/** Three brokers and what runs on them want more of a machine than others leave it: to be asked for. */
const faults = Number(process.env['DHAARA_BROKER_FAULTS'] ?? 0)

describe('brokers that are killed', () => {
  if (faults === 0) return
  after(() => stopCluster(3))

  it(`lose nothing and double nothing (${faults} faults)`, async () => {
    const cluster = await startCluster(3)
    await using trial = await Trial.make(bootstrapOf(cluster), 2)
    trial.start()
    for (let fault = 0; fault < faults; fault++) {
      await delay(4000)
      const node = cluster.nodes[fault % 3] as NodeSpec
      await stopNode(cluster, node, fault % 2 === 0 ? 'SIGKILL' : 'SIGTERM')
      await delay(3000)
      startNode(cluster, node)
      await nodeUp(cluster, node)
    }
    await trial.verify()
  }).timeout(180_000 + faults * 60_000)
})
