import { embeddedBroker, serdes, StreamsApp, StreamsBuilder } from '../../src/index.ts'
import type { HttpOptions } from '../../src/http/index.ts'

export interface Customer {
  readonly name: string
  readonly city: string
  readonly age: number
  readonly since: number
}

/** Customers with an index, whose processing refuses the name 'nobody'. */
export async function shop(http: HttpOptions) {
  const builder = new StreamsBuilder()
  const customers = builder
    .stream('customers', { key: serdes.string(), value: serdes.json<Customer>(), nullKeys: 'drop' })
    .mapValues(
      (one) => {
        if (one.name === 'nobody') throw new TypeError('nobody is no customer')
        return one
      },
      { name: 'known' },
    )
    .toTable({
      store: {
        name: 'customers',
        indexes: { byCity: (one: Customer) => one.city, since: (one: Customer) => new Date(one.since) },
      },
    })
  customers.toStream().to('known', { key: serdes.string(), value: serdes.json() })
  const broker = embeddedBroker({ partitions: 2 })
  const app = new StreamsApp({
    applicationId: 'shop',
    topology: builder.build(),
    broker,
    checkpointInterval: '10ms',
    errors: { user: 'deadLetter' },
    http,
  })
  await app.start()
  const producer = broker.producer('customers', { key: serdes.string(), value: serdes.json<Customer>() })
  return {
    app,
    url: app.httpUrl as string,
    async send(customers: readonly Customer[]) {
      await Promise.all(customers.map((value) => producer.send({ key: value.name, value, headers: { from: 'test' } })))
    },
    async [Symbol.asyncDispose]() {
      await producer.close()
      await app.close()
      await (broker as unknown as AsyncDisposable)[Symbol.asyncDispose]()
    },
  }
}

const cities = ['Pune', 'Goa', 'Agra'] as const

export const customers = (n: number): Customer[] =>
  Array.from({ length: n }, (_, i) => ({
    name: `c${i}`,
    city: cities[i % 3] as string,
    age: 20 + (i % 50),
    since: i * 1000,
  }))
