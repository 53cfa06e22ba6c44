/** Copies each order, and counts them by city behind a change of key. */
import { serdes, StreamsBuilder, type Topology, type TopologyEnv } from '../../../../src/index.ts'

export interface Order {
  readonly n: number
  readonly city: string
}

export function counting(app: string): { readonly topology: Topology } {
  const builder = new StreamsBuilder()
  const orders = builder.stream(`${app}.orders`, { key: serdes.string(), value: serdes.json<Order>() })
  orders.mapValues(({ n }) => n).to(`${app}.copies`, { key: serdes.string(), value: serdes.json<number>() })
  orders
    .groupBy(({ city }) => city, { key: serdes.string() })
    .count({ name: 'cities' })
    .toStream()
    .mapValues((count, city) => ({ city, count }))
    .to(`${app}.counts`, { key: serdes.string(), value: serdes.json<{ city: string; count: number }>() })
  return { topology: builder.build() }
}

export default ({ settings }: TopologyEnv): Topology => counting(settings['app'] as string).topology
