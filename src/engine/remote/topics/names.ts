import { createHash } from 'node:crypto'
import type { Repartition, SubTopology } from '../../plan/physical.ts'

const longest = 249

/** As users of Kafka Streams know them. */
export const changelogTopic = (app: string, store: string): string => fit(`${app}-${store}`, '-changelog')
export const repartitionTopic = (app: string, { name }: Repartition): string => fit(`${app}-${name}`, '-repartition')

/** Where a sub-topology's tasks keep positions, watermarks, timers and what is in flight. */
export const tasksTopic = (app: string, sub: SubTopology): string => fit(`${app}-${sub.name}-tasks`, '-changelog')

export const isInternal = (app: string, topic: string): boolean =>
  topic.startsWith(`${app}-`) && (topic.endsWith('-changelog') || topic.endsWith('-repartition'))

/** With what topics cannot have left out, and told apart by a hash where that changed something. */
function fit(name: string, suffix: string): string {
  const clean = name.replace(/[^A-Za-z0-9._-]/g, '-')
  if (clean === name && name.length + suffix.length <= longest) return name + suffix
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8)
  return `${clean.slice(0, longest - suffix.length - hash.length - 1)}-${hash}${suffix}`
}
