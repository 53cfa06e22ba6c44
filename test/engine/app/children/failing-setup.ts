import { StreamsBuilder, serdes } from '../../../../src/index.ts'

const builder = new StreamsBuilder()
builder.stream('orders', { key: serdes.string(), value: serdes.json() }).to('copies', { value: serdes.json() })

export default builder.build()

export function setup(): void {
  throw new RangeError('no model file')
}
