import assert from 'node:assert/strict'
import { embeddedBroker, serdes, StreamsBuilder, type Topology, windows } from '../../../src/index.ts'
import { read, runToEnd, send, type Sent } from './run.ts'

const source = { key: serdes.string(), value: serdes.json<number>() }

function counts(): Topology {
  const builder = new StreamsBuilder()
  const numbers = builder.stream('numbers', source)
  numbers
    .groupBy((n): string => (n % 2 === 0 ? 'even' : 'odd'))
    .windowedBy(windows.tumbling(100).noGrace())
    .emit('close')
    .lateTo('late', { key: serdes.string(), value: serdes.json() })
    .count()
    .toStream()
    .map((count, { key, window }) => [key, { start: window.start, count }] as const)
    .to('counts', { key: serdes.string(), value: serdes.json() })
  numbers
    .process<string, string>((ctx) => ({
      process() {},
      end() {
        ctx.forward('end', 'told')
      },
    }))
    .to('ends', { key: serdes.string(), value: serdes.json() })
  return builder.build()
}

const numbers = (from: number, to: number): Sent[] =>
  Array.from({ length: to - from }, (_, i) => ({ key: `k${i % 7}`, value: from + i, timestamp: from + i }))

describe('an app that has come to the end of its inputs', () => {
  it('goes on when there is more: what has closed stays closed, and nothing else is late', async () => {
    const broker = embeddedBroker({ partitions: 1 })
    const topology = counts()
    await send(broker, 'numbers', numbers(0, 20_250))
    await runToEnd({ topology, broker })
    // [20200, 20300) was closed by the end
    await send(broker, 'numbers', numbers(20_250, 40_000))
    const { recordsIn } = await runToEnd({ topology, broker })
    assert.equal(recordsIn, 40_000 - 20_250)
    const rows = (await read(broker, 'counts')).map(({ key, value }) => ({ key, ...(value as object) }))
    const expected = Array.from({ length: 400 }, (_, i) =>
      ['even', 'odd'].map((key) => ({ key, start: i * 100, count: i === 202 ? 25 : 50 })),
    )
    assert.deepEqual(rows, expected.flat())
    assert.deepEqual(
      (await read(broker, 'late')).map(({ value }) => value),
      numbers(20_250, 20_300).map(({ value }) => value),
    )
    await broker[Symbol.asyncDispose]()
  })

  it('tells its processors once of each end', async () => {
    const broker = embeddedBroker({ partitions: 1 })
    const topology = counts()
    await send(broker, 'numbers', numbers(0, 10))
    for (let runs = 0; runs < 3; runs++) await runToEnd({ topology, broker })
    assert.equal((await read(broker, 'ends')).length, 1)
    await send(broker, 'numbers', numbers(10, 20))
    await runToEnd({ topology, broker })
    assert.equal((await read(broker, 'ends')).length, 2)
    await broker[Symbol.asyncDispose]()
  })
})
