/** A cluster of Apache Kafka on this machine, on ports of its own, for tests and benchmarks. */
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { kafkaHome } from './jars.ts'
import { formatNode, nodePid, nodeUp, startNode, stopNode } from './node.ts'
import { freePorts } from './ports.ts'
import { tool } from './process.ts'
import { makeKeys } from './security.ts'
import type { ClusterSpec } from './spec.ts'
import { addUsers, startZooKeeper, stopZooKeeper, wantsZooKeeper } from './zookeeper.ts'

/** Features of a cluster that tests of security and of faults want. */
export interface ClusterKind {
  readonly nodes: 1 | 3
  /** Listeners with TLS, with SASL and with both, and an authorizer: see `security.ts`. */
  readonly secure?: boolean
  /** A listener whose advertised port is another one, for a proxy to listen at. */
  readonly proxied?: boolean
  /** For benchmarks: with the memory and the collector that Kafka is shipped with, where tests have less, and longer pauses. */
  readonly measured?: boolean
}

export const measuredKind: ClusterKind = { nodes: 1, measured: true }

/** What tests of refusals and of lost answers want. */
export const faultyKind: ClusterKind = { nodes: 1, secure: true, proxied: true }

const dirOf = ({ nodes, secure, proxied, measured }: ClusterKind): string =>
  join(
    kafkaHome,
    `cluster-${nodes}${secure ? '-secure' : ''}${proxied ? '-proxied' : ''}${measured ? '-measured' : ''}`,
  )
const specFile = (kind: ClusterKind): string => join(dirOf(kind), 'cluster.json')
const kindOf = (kind: ClusterKind | 1 | 3): ClusterKind => (typeof kind === 'number' ? { nodes: kind } : kind)

export const bootstrapOf = ({ nodes }: ClusterSpec): string[] => nodes.map(({ port }) => `127.0.0.1:${port}`)

/** The cluster of that kind, if all its nodes run. */
export function runningCluster(of: ClusterKind | 1 | 3): ClusterSpec | undefined {
  const kind = kindOf(of)
  if (!existsSync(specFile(kind))) return undefined
  const spec = JSON.parse(readFileSync(specFile(kind), 'utf8')) as ClusterSpec
  return spec.nodes.every((node) => nodePid(spec, node) !== undefined) ? spec : undefined
}

/** Starts a cluster with empty logs, or finds the one that runs. Resolves when it accepts connections. */
export async function startCluster(of: ClusterKind | 1 | 3): Promise<ClusterSpec> {
  const kind = kindOf(of)
  const running = runningCluster(kind)
  if (running !== undefined) {
    for (const node of running.nodes) await nodeUp(running, node)
    return running
  }
  await stopCluster(kind)
  const dir = dirOf(kind)
  mkdirSync(dir, { recursive: true })
  const ports = await freePorts(7 * kind.nodes + 1)
  const port = (): number => ports.pop() as number
  const spec: ClusterSpec = {
    id: wantsZooKeeper ? randomUUID() : tool('kafka.tools.StorageTool', ['random-uuid']).trim(),
    dir,
    measured: kind.measured === true,
    ...(wantsZooKeeper ? { zookeeper: port() } : {}),
    nodes: Array.from({ length: kind.nodes }, (_, i) => ({
      id: i + 1,
      port: port(),
      controllerPort: port(),
      ...(kind.secure ? { secure: { tls: port(), sasl: port(), saslTls: port() } } : {}),
      ...(kind.proxied ? { proxied: { port: port(), advertised: port() } } : {}),
    })),
  }
  if (kind.secure) makeKeys(dir)
  // whoever stops it finds what has been started
  writeFileSync(specFile(kind), JSON.stringify(spec))
  if (spec.zookeeper !== undefined) await startZooKeeper(dir, spec.zookeeper)
  if (spec.zookeeper !== undefined && kind.secure) addUsers(spec.zookeeper)
  for (const node of spec.nodes) formatNode(spec, node)
  for (const node of spec.nodes) startNode(spec, node)
  for (const node of spec.nodes) await nodeUp(spec, node)
  return spec
}

/** Ends its processes and removes its logs. Does nothing if there is none. */
export async function stopCluster(of: ClusterKind | 1 | 3): Promise<void> {
  const kind = kindOf(of)
  if (existsSync(specFile(kind))) {
    const spec = JSON.parse(readFileSync(specFile(kind), 'utf8')) as ClusterSpec
    await Promise.all(spec.nodes.map((node) => stopNode(spec, node, 'SIGKILL')))
    if (spec.zookeeper !== undefined) await stopZooKeeper(dirOf(kind))
  }
  rmSync(dirOf(kind), { recursive: true, force: true })
}
