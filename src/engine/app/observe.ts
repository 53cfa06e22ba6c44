import type { Broker, OutputRecord } from '../../connectors/broker/index.ts'
import type { LogicalPlan } from '../../dsl/plan/index.ts'
import type { SerdeOptions } from '../../dsl/options.ts'
import { serdes } from '../../dsl/serdes/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import { observed, type Observed, type ObserveOptions } from '../query/index.ts'

export type ObserveTopicOptions<K, V> = ObserveOptions & SerdeOptions<K, V>

/**
 * The committed records of a topic. Serdes that are not given are those of the topology's sink or source; else keys and values
 * are bytes.
 *
 * @param parts what runs, as soon as something does. @throws DhaaraError DHAARA_APP_STATE
 */
export function observeTopic<K, V>(
  parts: () => { readonly broker: Broker; readonly plan: LogicalPlan },
  topic: string,
  options: ObserveTopicOptions<K, V>,
): Observed<OutputRecord<K, V>> {
  const { from = 'now' } = options
  return observed((stop) => {
    if (from === 'snapshot')
      throw new DhaaraError('DHAARA_OPTION', `topic '${topic}' has no snapshot; expected from: 'now' or 'beginning'`)
    const { broker, plan } = parts()
    const known = serdesOf(plan, topic)
    const key = options.key ?? known.key
    const value = options.value ?? known.value ?? serdes.bytes()
    const signal = options.signal === undefined ? stop : AbortSignal.any([stop, options.signal])
    const given = { value, from: from === 'now' ? 'end' : 'beginning', signal } as const
    const records = broker.consumer(topic, key === undefined ? given : { ...given, key })
    return records as AsyncIterable<OutputRecord<K, V>>
  })
}

/** Those of the topology's sink or source of this topic, if there is one. */
export function serdesOf({ nodes }: LogicalPlan, topic: string) {
  for (const node of nodes)
    if (node.kind === 'sink' && node.topic === topic) return { key: node.key, value: node.value }
  for (const node of nodes) {
    if (node.kind !== 'source') continue
    const { topics, key, value } = node
    if (topics instanceof RegExp ? topics.test(topic) : topics.includes(topic)) return { key, value }
  }
  return { key: undefined, value: undefined }
}
