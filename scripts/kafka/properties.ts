/** What a node is configured with. */
import { join } from 'node:path'
import { secureProperties } from './security.ts'
import type { ClusterSpec, NodeSpec } from './spec.ts'

export function properties(cluster: ClusterSpec, node: NodeSpec): string {
  const { nodes, dir, zookeeper } = cluster
  const { id, port, controllerPort, secure, proxied } = node
  const open = [
    listener('PLAINTEXT', port),
    ...(secure === undefined ? [] : secureListeners(secure)),
    ...(proxied === undefined ? [] : [proxiedListener(proxied)]),
  ]
  const all = zookeeper === undefined ? [...open, listener('CONTROLLER', controllerPort)] : open
  const replicas = Math.min(3, nodes.length)
  const inSync = Math.max(1, replicas - 1)
  const lines: Record<string, string | number> = {
    ...(zookeeper === undefined
      ? {
          'process.roles': 'broker,controller',
          'node.id': id,
          'controller.quorum.voters': nodes.map((one) => `${one.id}@127.0.0.1:${one.controllerPort}`).join(','),
          'controller.listener.names': 'CONTROLLER',
        }
      : {
          'broker.id': id,
          'zookeeper.connect': `127.0.0.1:${zookeeper}`,
          // as soon as nodes without it miss one that was killed
          'zookeeper.session.timeout.ms': 9000,
        }),
    listeners: all.map((one) => `${one.name}://127.0.0.1:${one.port}`).join(','),
    'advertised.listeners': open.map((one) => `${one.name}://127.0.0.1:${one.advertised}`).join(','),
    'listener.security.protocol.map': all.map((one) => `${one.name}:${one.protocol}`).join(','),
    'inter.broker.listener.name': 'PLAINTEXT',
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
    ...(secure === undefined ? {} : secureProperties(dir, zookeeper !== undefined)),
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
  protocol: protocol === 'CONTROLLER' ? 'PLAINTEXT' : protocol,
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
