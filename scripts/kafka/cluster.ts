/** A cluster of Apache Kafka on this machine, on ports of its own, for tests and benchmarks. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { kafkaHome } from './jars.ts'
import { type ClusterSpec, formatNode, freePorts, nodePid, nodeUp, startNode, stopNode, tool } from './node.ts'

/** Clusters are told apart by their size: one node, or three. */
const dirOf = (size: number): string => join(kafkaHome, `cluster-${size}`)
const specFile = (size: number): string => join(dirOf(size), 'cluster.json')

export const bootstrapOf = ({ nodes }: ClusterSpec): string[] => nodes.map(({ port }) => `127.0.0.1:${port}`)

/** The cluster of that size, if all its nodes run. */
export function runningCluster(size: number): ClusterSpec | undefined {
  if (!existsSync(specFile(size))) return undefined
  const spec = JSON.parse(readFileSync(specFile(size), 'utf8')) as ClusterSpec
  return spec.nodes.every((node) => nodePid(spec, node) !== undefined) ? spec : undefined
}

/** Starts a cluster with empty logs, or finds the one that runs. Resolves when it accepts connections. */
export async function startCluster(size: number): Promise<ClusterSpec> {
  const running = runningCluster(size)
  if (running !== undefined) {
    for (const node of running.nodes) await nodeUp(running, node)
    return running
  }
  await stopCluster(size)
  const dir = dirOf(size)
  mkdirSync(dir, { recursive: true })
  const ports = await freePorts(2 * size)
  const spec: ClusterSpec = {
    id: tool('kafka.tools.StorageTool', ['random-uuid']).trim(),
    dir,
    nodes: Array.from({ length: size }, (_, i) => ({
      id: i + 1,
      port: ports[2 * i] as number,
      controllerPort: ports[2 * i + 1] as number,
    })),
  }
  for (const node of spec.nodes) formatNode(spec, node)
  for (const node of spec.nodes) startNode(spec, node)
  writeFileSync(specFile(size), JSON.stringify(spec))
  for (const node of spec.nodes) await nodeUp(spec, node)
  return spec
}

/** Ends its processes and removes its logs. Does nothing if there is none. */
export async function stopCluster(size: number): Promise<void> {
  if (existsSync(specFile(size))) {
    const spec = JSON.parse(readFileSync(specFile(size), 'utf8')) as ClusterSpec
    await Promise.all(spec.nodes.map((node) => stopNode(spec, node, 'SIGKILL')))
  }
  rmSync(dirOf(size), { recursive: true, force: true })
}
