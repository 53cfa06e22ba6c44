/** Sources and sinks of one's own: what must and must not compile. */
import { csvSource, jsonLinesSink, jsonLinesSource, postgresSink } from '../../src/connectors/index.ts'
import { type KStream, serdes, type Sink, type Source, StreamsBuilder } from '../../src/index.ts'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_: Equal<A, B>): void => {}

interface Order {
  readonly id: string
  readonly total: number
}
declare const orders: Source<string, Order, number>
const builder = new StreamsBuilder()

const own = builder.source('own', orders, { timestamp: (o) => o.total })
same<typeof own, KStream<string | null, Order>>(true)
const keyed = builder.source('keyed', orders, { nullKeys: 'drop' })
same<typeof keyed, KStream<string, Order>>(true)
const inline = builder.source('inline', {
  async *read(position: number = 0) {
    yield { value: position, key: 'k', position: position + 1 }
  },
})
same<typeof inline, KStream<string | null, number>>(true)
const lines = builder.source('lines', jsonLinesSource<Order>({ path: 'a' }), { keyOf: (o) => o.id })
same<typeof lines, KStream<string | null, Order>>(true)
const keyless = builder.source('keyless', csvSource<Order>({ path: 'a' }))
same<typeof keyless, KStream<null, Order>>(true)
declare const bytes: Source<Uint8Array, Uint8Array, number>
const decoded = builder.source('bytes', bytes, { key: serdes.string(), value: serdes.json<Order>() })
same<typeof decoded, KStream<string | null, Order>>(true)

const sink: Sink<string | null, Order> = {
  write({ values }) {
    values[0]?.total.toFixed()
  },
} // prettier-ignore
own.sink(sink, { name: 'a' })
own.sink({
  write(batch, epoch, task) {
    same<typeof epoch, number>(true)
    same<typeof task.id, string>(true)
    for (const { value } of batch) value.total.toFixed()
  },
}) // prettier-ignore
own.sink((task) => ({ write: () => task.warn('…') }))
own.sink(jsonLinesSink({ path: 'b' }))
own.sink(postgresSink({ table: 't', row: (order: Order) => ({ id: order.id }) }))
// @ts-expect-error the sink takes other values
inline.sink(sink)
// @ts-expect-error a sink writes
own.sink({})
// @ts-expect-error no such option
jsonLinesSink({ path: 'b', pth: 'c' })
// @ts-expect-error a path is needed
jsonLinesSource({})
// @ts-expect-error bytes need a serde to become orders
builder.source('b', bytes, { timestamp: (o) => o.total })
