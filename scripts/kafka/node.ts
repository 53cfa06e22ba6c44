/** One node of a cluster: a process of its own that outlives ours. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { accepts } from './ports.ts'
import { pidIn, printed, startProcess, stopProcess, tool } from './process.ts'
import { properties } from './properties.ts'
import { scramUsers } from './security.ts'
import type { ClusterSpec, NodeSpec } from './spec.ts'

/** As Kafka's own start script gives them. */
const shipped = ['-Xmx1g', '-Xms1g', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20', '-XX:InitiatingHeapOccupancyPercent=35']
const small = ['-Xmx512m', '-Xms256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=4']

const nodeDir = ({ dir }: ClusterSpec, { id }: NodeSpec): string => join(dir, `node-${id}`)
const propertiesFile = 'server.properties'

/** Files and log directories of a node, as `StorageTool` lays them out. */
export function formatNode(cluster: ClusterSpec, node: NodeSpec): void {
  const dir = nodeDir(cluster, node)
  mkdirSync(dir, { recursive: true })
  const file = join(dir, propertiesFile)
  writeFileSync(file, properties(cluster, node))
  if (cluster.zookeeper !== undefined) return
  const users = scramUsers.flatMap(([name, logins]) =>
    logins.flatMap((login) => ['--add-scram', login.replace('[', `[name=${name},`)]),
  )
  const secure = node.secure === undefined ? [] : users
  tool('kafka.tools.StorageTool', ['format', '-t', cluster.id, '-c', file, ...secure])
}

/** Starts the node's process. It listens some seconds later. */
export function startNode(cluster: ClusterSpec, node: NodeSpec): void {
  startProcess(nodeDir(cluster, node), cluster.measured ? shipped : small, 'kafka.Kafka', propertiesFile)
}

/** Process id of a node that runs. */
export const nodePid = (cluster: ClusterSpec, node: NodeSpec): number | undefined => pidIn(nodeDir(cluster, node))

/** Resolves when the process has ended. */
export const stopNode = (cluster: ClusterSpec, node: NodeSpec, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> =>
  stopProcess(nodeDir(cluster, node), signal)

/** Resolves when the node accepts connections at all of its listeners. @throws Error: its process ended, or three minutes have passed */
export async function nodeUp(cluster: ClusterSpec, node: NodeSpec): Promise<void> {
  const ports = [node.port, ...Object.values(node.secure ?? {}), ...(node.proxied ? [node.proxied.port] : [])]
  for (const until = Date.now() + 180_000; ; await delay(100)) {
    if ((await Promise.all(ports.map(accepts))).every(Boolean)) return
    if (nodePid(cluster, node) !== undefined && Date.now() < until) continue
    throw new Error(`Kafka node ${node.id} did not come up on port ${node.port}: ${printed(nodeDir(cluster, node))}`)
  }
}
