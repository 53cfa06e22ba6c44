/** Doubles numbers; at one of them its function keeps the thread busy for so many ms, or for ever. */
import { serdes, StreamsBuilder, type Topology, type TopologyEnv } from '../../../../src/index.ts'

const cell = new Int32Array(new SharedArrayBuffer(4))

export function busy({ input = '', output = '', at = '-1', ms = '0' }: Readonly<Record<string, string>>): Topology {
  const builder = new StreamsBuilder()
  builder
    .stream(input, { key: serdes.string(), value: serdes.json<number>() })
    .mapValues((n) => {
      if (n === Number(at)) Atomics.wait(cell, 0, 0, Number(ms))
      return n * 2
    })
    .groupByKey()
    .count({ name: 'seen' })
    .toStream()
    .to(output, { key: serdes.string(), value: serdes.json<number>() })
  return builder.build()
}

export default (env: TopologyEnv): Topology => busy(env.settings)
