/** What each customer has spent, in all and by the hour, and how many orders came from each city: behind a change of key. */
import {
  count,
  serdes,
  StreamsBuilder,
  sum,
  type Topology,
  type TopologyEnv,
  windows,
} from '../../../../../src/index.ts'

export interface Order {
  readonly city: string
  readonly rupees: number
}

export const hour = 3_600_000

export function shop(app: string): Topology {
  const builder = new StreamsBuilder()
  const orders = builder.stream(`${app}.orders`, {
    key: serdes.string(),
    value: serdes.json<Order>(),
    nullKeys: 'drop',
  })
  const byCustomer = orders.groupByKey()
  byCustomer.aggregate(
    sum((order) => order.rupees),
    { store: 'spent' },
  )
  byCustomer
    .windowedBy(windows.tumbling('1h').grace('1d'))
    .aggregate(count(), { store: { name: 'hours', retention: '30d' } })
  byCustomer
    .windowedBy(windows.session('10m').grace('1d'))
    .aggregate(count(), { store: { name: 'visits', retention: '30d' } })
  orders.groupBy((order) => order.city).count({ store: 'cities' })
  return builder.build()
}

export default ({ settings }: TopologyEnv): Topology => shop(settings['app'] as string)
