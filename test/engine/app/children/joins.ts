import { joinWindows, serdes, StreamsBuilder } from '../../../../src/index.ts'

/** Each kind of join, over repartitions where that can be. */
interface Order {
  readonly customer: string
  readonly shop: string
  readonly n: number
}
const text = serdes.string()
const json = serdes.json<string>()
const builder = new StreamsBuilder()
const orders = builder.table('orders', { key: text, value: serdes.json<Order>() })
const customers = builder.table('customers', { key: text, value: json })
const shops = builder.globalTable('shops', { key: text, value: json })

orders
  .leftJoin(
    customers,
    (order) => order.customer,
    (order, name) => `${order.n} ${name}`,
  )
  .toStream()
  .to('named', { key: text, value: json })

const clicks = builder.stream('clicks', { key: text, value: serdes.json<Order>() })
const views = builder.stream('views', { key: text, value: serdes.json<Order>() })
const byCustomer = clicks.selectKey((order) => order.customer)

byCustomer
  .join(
    views.selectKey((order) => order.customer),
    (click, view) => `${click.n} ${view.n}`,
    joinWindows.of(20).grace('1h'),
  )
  .to('seen', { key: text, value: json })
byCustomer.leftJoin(customers, (click, name) => `${click.n} ${name}`).to('clicked', { key: text, value: json })
clicks
  .join(
    shops,
    (order) => order.shop,
    (order, city) => `${order.n} ${city}`,
  )
  .to('located', { key: text, value: json })

export default builder.build()
