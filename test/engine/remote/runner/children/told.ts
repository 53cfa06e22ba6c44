import { BroadcastChannel } from 'node:worker_threads'
import { serdes, StreamsBuilder, type WorkerEnv } from '../../../../../src/index.ts'

const builder = new StreamsBuilder()
builder.stream('in', { key: serdes.string(), value: serdes.string() }).to('out')

export default builder.build()

/** Tells that it loads; is up, and ends, when it is told to. */
export function setup({ settings: { channel = '' } }: WorkerEnv): Promise<void> {
  const heard = new BroadcastChannel(channel)
  const { promise, resolve } = Promise.withResolvers<void>()
  heard.onmessage = ({ data }) => {
    if (data === 'up') resolve()
    if (data === 'end') process.exit(1)
  }
  heard.postMessage('loads')
  return promise
}
