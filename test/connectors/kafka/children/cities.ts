/** Counts orders by city, behind a repartition. */
import { serdes, StreamsBuilder, type Topology, type TopologyEnv } from '../../../../src/index.ts'

export interface Order {
  readonly n: number
  readonly city: string
}

export function cities(input: string, output: string): Topology {
  const builder = new StreamsBuilder()
  builder
    .stream(input, { key: serdes.string(), value: serdes.json<Order>() })
    .groupBy((order) => order.city)
    .aggregate(
      () => ({ count: 0, sum: 0 }),
      (row, { n }) => ({ count: row.count + 1, sum: row.sum + n }),
      { store: 'cities' },
    )
    .toStream()
    .to(output, { key: serdes.string(), value: serdes.json() })
  return builder.build()
}

export default ({ settings: { input = '', output = '' } }: TopologyEnv): Topology => cities(input, output)
