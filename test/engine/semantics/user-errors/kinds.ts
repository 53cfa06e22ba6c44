import { StreamsBuilder, type Topology } from '../../../../src/index.ts'
import { aggregates } from './aggregates.ts'
import { asynchronous } from './asynchronous.ts'
import { edges } from './edges.ts'
import { joins } from './joins.ts'
import { type Kind, text, type Text } from './kind.ts'
import { patterns } from './patterns.ts'
import { processors } from './processors.ts'
import { stateless } from './stateless.ts'
import { tables } from './tables.ts'

/** Every kind of user function. */
export const kinds: readonly Kind[] = [
  ...stateless,
  ...aggregates,
  ...tables,
  ...joins,
  ...processors,
  ...asynchronous,
  ...patterns,
  ...edges,
]

/** @param prefix of its topics */
export function addKind(builder: StreamsBuilder, kind: Kind, prefix = ''): void {
  const input = builder.stream(`${prefix}in`, { ...text, ...kind.source }) as Text
  kind.build(input, builder)?.to(`${prefix}out`, { ...text, ...kind.sink })
}

export function topologyOf(kind: Kind): Topology {
  const builder = new StreamsBuilder()
  addKind(builder, kind)
  return builder.build()
}
