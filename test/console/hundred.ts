import { embeddedBroker, serdes, StreamsApp, StreamsBuilder } from '../../src/index.ts'

/** Ten lines of a source, nine steps and a sink each. */
export async function hundred() {
  const text = { key: serdes.string(), value: serdes.string() }
  const builder = new StreamsBuilder()
  for (let i = 0; i < 10; i++) {
    let stream = builder.stream(`in${i}`, text)
    for (let k = 0; k < 9; k++) stream = stream.filter((v) => v.length > k, { name: `step-${i}-${k}` })
    stream.to(`out${i}`, text)
  }
  const broker = embeddedBroker()
  const app = new StreamsApp({ applicationId: 'wide', topology: builder.build(), broker, http: { port: 0 } })
  await app.start()
  const producers = Array.from({ length: 10 }, (_, i) => broker.producer(`in${i}`, text))
  return {
    url: app.httpUrl as string,
    /** Records into one of the lines. */
    async send(line: number, count: number): Promise<void> {
      const producer = producers[line] as (typeof producers)[number]
      for (let i = 0; i < count; i++) void producer.send({ key: `k${i % 100}`, value: 'a record of a line' })
      await producer.flush()
    },
    async [Symbol.asyncDispose]() {
      for (const producer of producers) await producer[Symbol.asyncDispose]()
      await app.close()
    },
  }
}
