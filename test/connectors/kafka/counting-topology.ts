import { serdes, StreamsBuilder, type Topology } from '../../../src/index.ts'

/** Counts, by key, what comes to `<app>.in`, into `<app>.out`. */
export function counting(app: string): Topology {
  const builder = new StreamsBuilder()
  builder
    .stream(`${app}.in`, { key: serdes.string(), value: serdes.string() })
    .groupByKey()
    .count({ name: 'counts' })
    .toStream()
    .to(`${app}.out`, { key: serdes.string(), value: serdes.json<number>() })
  return builder.build()
}
