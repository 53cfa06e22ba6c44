import assert from 'node:assert/strict'
import { embeddedBroker, serdes, StreamsApp, StreamsBuilder, type Topology } from '../../../../src/index.ts'

const own = { key: serdes.string(), value: serdes.json<number>() }

function from(offsetReset: 'earliest' | 'latest' | 'none' | { readonly timestamp: number | Date }): Topology {
  const builder = new StreamsBuilder()
  builder.stream('in', { ...own, offsetReset }).to('out', own)
  return builder.build()
}

describe('a source without a position', () => {
  async function run(topology: Topology): Promise<number[]> {
    await using broker = embeddedBroker()
    const producer = broker.producer<string, number>('in', own)
    for (let n = 0; n < 100; n++) void producer.send({ key: 'k', value: n, timestamp: 1000 + n })
    await producer.close()
    const app = new StreamsApp({ applicationId: 'reset', broker, topology })
    await app.start()
    app.endInputs()
    const { recordsOut } = await app.completed
    const values: number[] = []
    if (recordsOut > 0)
      for await (const { value } of broker.consumer<string, number>('out', own))
        if (values.push(value as number) === recordsOut) break
    return values
  }
  const numbers = (first: number): number[] => Array.from({ length: 100 - first }, (_, i) => first + i)

  it('begins at the first record', async () => assert.deepEqual(await run(from('earliest')), numbers(0)))
  it('begins behind the last', async () => assert.deepEqual(await run(from('latest')), []))
  it('begins at the first that is not older', async () => {
    assert.deepEqual(await run(from({ timestamp: 1040 })), numbers(40))
    assert.deepEqual(await run(from({ timestamp: new Date(1099) })), numbers(99))
    assert.deepEqual(await run(from({ timestamp: 5000 })), [])
  })
  it('refuses to start where it must have one', () =>
    assert.rejects(run(from('none')), (error: Error & { code?: string }) => {
      return error.code === 'DHAARA_POSITION_NONE' && error.message.includes('in[0]')
    }))
  it('refuses what is no time', () => {
    assert.throws(() => from({ timestamp: -1 }), /timestamp.*whole number/)
    assert.throws(() => from({ timestamp: new Date('x') }), /timestamp.*whole number/)
  })
})
