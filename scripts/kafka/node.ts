/** One node of a cluster: a process of its own that outlives ours. */
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { jars } from './jars.ts'
import { scramUsers, secureProperties } from './security.ts'

export interface NodeSpec {
  readonly id: number
  readonly port: number
  readonly controllerPort: number
  /** Listeners with TLS, with SASL, with both. */
  readonly secure?: { readonly tls: number; readonly sasl: number; readonly saslTls: number }
  /** A listener that tells clients another port: a proxy's. */
  readonly proxied?: { readonly port: number; readonly advertised: number }
}

export interface ClusterSpec {
  readonly id: string
  readonly dir: string
  readonly nodes: readonly NodeSpec[]
  /** See `ClusterKind`. */
  readonly measured?: boolean
}

/** As Kafka's own start script gives them. */
const shipped = ['-Xmx1g', '-Xms1g', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20', '-XX:InitiatingHeapOccupancyPercent=35']
const small = ['-Xmx512m', '-Xms256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=4']

const nodeDir = ({ dir }: ClusterSpec, { id }: NodeSpec): string => join(dir, `node-${id}`)
const pidFile = (cluster: ClusterSpec, node: NodeSpec): string => join(nodeDir(cluster, node), 'pid')

/** Files and log directories of a node, as `StorageTool` lays them out. */
export function formatNode(cluster: ClusterSpec, node: NodeSpec): void {
  const dir = nodeDir(cluster, node)
  mkdirSync(dir, { recursive: true })
  const file = join(dir, 'server.properties')
  writeFileSync(file, properties(cluster, node))
  const users = node.secure === undefined ? [] : scramUsers.flatMap((user) => ['--add-scram', user])
  tool('kafka.tools.StorageTool', ['format', '-t', cluster.id, '-c', file, ...users])
}

/** Runs one of Kafka's own tools. @returns what it printed */
export function tool(name: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync('java', ['-Xmx256m', '-cp', jars(), name, ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  if (status === 0) return stdout
  throw new Error(`${name} ${args.join(' ')} failed: ${error?.message ?? stdout + stderr}`)
}

/** Starts the node's process. It listens some seconds later. */
export function startNode(cluster: ClusterSpec, node: NodeSpec): void {
  const dir = nodeDir(cluster, node)
  const log = openSync(join(dir, 'log'), 'a')
  const options = cluster.measured ? shipped : small
  const child = spawn('java', [...options, '-cp', jars(), 'kafka.Kafka', join(dir, 'server.properties')], {
    detached: true,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  child.unref()
  writeFileSync(pidFile(cluster, node), String(child.pid))
}

/** Process id of a node that runs. */
export function nodePid(cluster: ClusterSpec, node: NodeSpec): number | undefined {
  try {
    const pid = Number(readFileSync(pidFile(cluster, node), 'utf8'))
    // The number may have gone to another process since.
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(nodeDir(cluster, node)) ? pid : undefined
  } catch {
    return undefined
  }
}

/** Resolves when the process has ended. */
export async function stopNode(
  cluster: ClusterSpec,
  node: NodeSpec,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<void> {
  const pid = nodePid(cluster, node)
  if (pid === undefined) return
  process.kill(pid, signal)
  for (const until = Date.now() + 20_000; nodePid(cluster, node) !== undefined; await delay(50)) {
    if (Date.now() > until) process.kill(pid, 'SIGKILL')
  }
  rmSync(pidFile(cluster, node), { force: true })
}

/** Resolves when the node accepts connections at all of its listeners. @throws Error: its process ended, or three minutes have passed */
export async function nodeUp(cluster: ClusterSpec, node: NodeSpec): Promise<void> {
  const ports = [node.port, ...Object.values(node.secure ?? {}), ...(node.proxied ? [node.proxied.port] : [])]
  for (const until = Date.now() + 180_000; ; await delay(100)) {
    if ((await Promise.all(ports.map(accepts))).every(Boolean)) return
    if (nodePid(cluster, node) !== undefined && Date.now() < until) continue
    const log = readFileSync(join(nodeDir(cluster, node), 'log'), 'utf8')
    throw new Error(`Kafka node ${node.id} did not come up on port ${node.port}: ${log.slice(-2000)}`)
  }
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })

/** Ports that nobody uses at this moment. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => void server.close(resolve))))
  return ports
}

function properties({ nodes, dir }: ClusterSpec, { id, port, controllerPort, secure, proxied }: NodeSpec): string {
  const more = [
    ...(secure === undefined ? [] : secureListeners(secure)),
    ...(proxied === undefined ? [] : [proxiedListener(proxied)]),
  ]
  const replicas = Math.min(3, nodes.length)
  const inSync = Math.max(1, replicas - 1)
  const lines: Record<string, string | number> = {
    'process.roles': 'broker,controller',
    'node.id': id,
    'controller.quorum.voters': nodes.map((node) => `${node.id}@127.0.0.1:${node.controllerPort}`).join(','),
    listeners: [
      `PLAINTEXT://127.0.0.1:${port}`,
      `CONTROLLER://127.0.0.1:${controllerPort}`,
      ...more.map((one) => `${one.name}://127.0.0.1:${one.port}`),
    ].join(','),
    'advertised.listeners': [
      `PLAINTEXT://127.0.0.1:${port}`,
      ...more.map((one) => `${one.name}://127.0.0.1:${one.advertised}`),
    ].join(','),
    'listener.security.protocol.map': [
      'PLAINTEXT:PLAINTEXT',
      'CONTROLLER:PLAINTEXT',
      ...more.map((one) => `${one.name}:${one.protocol}`),
    ].join(','),
    'inter.broker.listener.name': 'PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(dir, `node-${id}`, 'logs'),
    'num.partitions': 1,
    'default.replication.factor': replicas,
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': 5,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': 5,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,
    'auto.create.topics.enable': 'false',
    // Fixtures have timestamps of any year.
    'log.retention.ms': -1,
    'controlled.shutdown.enable': nodes.length > 1 ? 'true' : 'false',
    ...(secure === undefined ? {} : secureProperties(dir)),
  }
  return Object.entries(lines)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}

interface Listener {
  readonly name: string
  readonly protocol: string
  readonly port: number
  readonly advertised: number
}

const listener = (name: string, port: number, advertised = port, protocol = name): Listener => ({
  name,
  protocol,
  port,
  advertised,
})

const secureListeners = ({ tls, sasl, saslTls }: NonNullable<NodeSpec['secure']>): Listener[] => [
  listener('SSL', tls),
  listener('SASL_PLAINTEXT', sasl),
  listener('SASL_SSL', saslTls),
]

const proxiedListener = ({ port, advertised }: NonNullable<NodeSpec['proxied']>): Listener =>
  listener('PROXIED', port, advertised, 'PLAINTEXT')
