/** By key: the number of its records, behind as many steps as `BENCH_STEPS` says (a worker's process has the same environment). */
import { type KStream, serdes, StreamsBuilder } from '../../../src/index.ts'

export interface Visit {
  readonly key: number
  readonly n: number
}

/** How often `key` was seen so far. */
export interface Seen {
  readonly key: number
  readonly count: number
}

export const topics = { input: 'visits', output: 'seen' }

const steps = Number(process.env['BENCH_STEPS'] ?? 1)
const builder = new StreamsBuilder()
let visits: KStream<number | null, Visit> = builder.stream(topics.input, {
  key: serdes.number(),
  value: serdes.json<Visit>(),
})
for (let step = 1; step < steps; step++) visits = visits.mapValues(({ key, n }) => ({ key, n: n + 1 }))
visits
  .groupByKey()
  .count()
  .toStream()
  .mapValues((count, key): Seen => ({ key, count }))
  .to(topics.output, { key: serdes.number(), value: serdes.json() })

export default builder.build()
