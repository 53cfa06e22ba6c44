/** Copies, but for one value. */
import { serdes, StreamsBuilder, type TopologyEnv, type Topology } from '../../../../src/index.ts'

const own = { key: serdes.string(), value: serdes.string() }

export function failing(input: string, output: string): Topology {
  const builder = new StreamsBuilder()
  builder
    .stream(input, own)
    .mapValues((value) => {
      if (value === 'bad') throw new Error('not this one')
      return value
    })
    .to(output, own)
  return builder.build()
}

export default ({ settings: { input = '', output = '' } }: TopologyEnv): Topology => failing(input, output)
