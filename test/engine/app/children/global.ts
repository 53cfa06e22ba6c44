import { serdes, StreamsBuilder } from '../../../../src/index.ts'

/** Orders with the city of their shop, which is a row of a global table. */
const text = serdes.string()
const json = serdes.json<string>()
const builder = new StreamsBuilder()
const shops = builder.globalTable('shops', { key: text, value: json, store: 'shops' })
builder
  .stream('orders', { key: text, value: json })
  .leftJoin(
    shops,
    (shop) => shop,
    (shop, city) => `${shop} ${city}`,
  )
  .to('located', { key: text, value: json })

export default builder.build()
