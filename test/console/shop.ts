import {
  count,
  embeddedBroker,
  type Producer,
  serdes,
  StreamsApp,
  StreamsBuilder,
  sum,
  windows,
} from '../../src/index.ts'

export interface Order {
  readonly customer: string
  readonly city: string
  readonly rupees: number
}

const cities = ['Pune', 'Delhi', 'Mumbai', 'Chennai'] as const

/** An app with what the console is to show: a slow step, records that fail, several partitions. */
export async function shop(burnMs: number) {
  const builder = new StreamsBuilder()
  const orders = builder.stream('orders', {
    key: serdes.string(),
    value: serdes.json<Order>(),
    nullKeys: 'drop',
    onInvalid: 'deadLetter',
  })
  orders.groupByKey().aggregate(
    sum((order) => order.rupees),
    { store: 'spent' },
  )
  const scored = orders
    .filter((order) => order.rupees > 0, { name: 'paid' })
    .mapValues((order) => ({ ...order, score: burn(order.rupees, burnMs) }), { name: 'score' })
  scored
    .groupBy((order) => order.city)
    .windowedBy(windows.tumbling('1m').grace('5s'))
    .aggregate(count(), { store: { name: 'minutes', retention: '1h' } })
    .toStream()
    .to('busy', { key: serdes.windowed(serdes.string()), value: serdes.json<number>() })
  scored
    .mapValues(
      (order) => {
        if (order.rupees === 13) throw new Error('thirteen rupees are unlucky')
        return order
      },
      { name: 'superstition' },
    )
    .to('scored', { key: serdes.string(), value: serdes.json() })
  const broker = embeddedBroker({ partitions: 4 })
  const app = new StreamsApp({
    applicationId: 'shop',
    topology: builder.build(),
    broker,
    errors: { user: 'deadLetter' },
    http: { port: 0, admin: true },
  })
  await app.start()
  const producer = broker.producer('orders', { key: serdes.string(), value: serdes.json<Order>() })
  return { app, broker, producer, url: app.httpUrl as string }
}

/** Keeps a core busy, as a model or a parser does. */
function burn(seed: number, ms: number): number {
  let x = seed
  for (const until = performance.now() + ms; performance.now() < until; )
    x = (x * 1_103_515_245 + 12_345) % 2_147_483_648
  return x
}

/** Sends so many orders, one in a hundred of them unlucky; to a partition of one's choice, or by key. */
export async function order(producer: Producer<string, Order>, n: number, partition?: number): Promise<void> {
  const sent: Promise<void>[] = []
  for (let i = 0; i < n; i++) {
    const value = {
      customer: `c${i % 50}`,
      city: cities[i % 4] as string,
      rupees: i % 100 === 99 ? 13 : 20 + (i % 700),
    }
    sent.push(producer.send({ key: value.customer, value, ...(partition === undefined ? {} : { partition }) }))
  }
  await Promise.all(sent)
}
