import type { DeliverNode, SinkNode } from '../../dsl/plan/index.ts'
import { valueSerde } from './value-serde.ts'

/** The topic under which a sink of the user's own is seen, where nothing is delivered; no other topic has such a name. */
export const observedTopic = (sink: string): string => `sink:${sink}`

/** What goes to the sink goes to its topic, complete. */
export function observedSink({ own: _, ...node }: DeliverNode): SinkNode {
  return {
    ...node,
    kind: 'sink',
    topic: observedTopic(node.name),
    key: node.key ?? valueSerde,
    value: node.value ?? valueSerde,
  }
}
