import { serdes, StreamsBuilder, type Topology, type WatermarkStrategy } from '../../../src/index.ts'
import { type Query, rowsTopic, Site } from './query.ts'

/** The query as a job: the events' topic in, rows as JSON out. */
export function topologyOf(query: Query, watermark?: WatermarkStrategy): Topology {
  const builder = new StreamsBuilder()
  query
    .rows(new Site(builder, query.columns as undefined, watermark))
    .to(rowsTopic, { key: serdes.json(), value: serdes.json() })
  return builder.build()
}
