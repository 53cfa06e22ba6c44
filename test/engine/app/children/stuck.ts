import { StreamsBuilder, serdes } from '../../../../src/index.ts'

const builder = new StreamsBuilder()
builder
  .stream('orders', { key: serdes.string(), value: serdes.json<{ city: string; amount: number }>() })
  .peek(({ amount }) => {
    if (amount === 13) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  })
  .to('copies', { value: serdes.json() })

export default builder.build()
