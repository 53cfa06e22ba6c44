import { isMainThread } from 'node:worker_threads'
import { StreamsBuilder, serdes } from '../../../../src/index.ts'

const builder = new StreamsBuilder()
builder
  .stream('orders', { key: serdes.string(), value: serdes.json() })
  .to(isMainThread ? 'here' : 'there', { value: serdes.json() })

export default builder.build()
