/** Two partitions of numbers, counted by key behind a repartition, into one file a task. */
import { jsonLinesSink } from '../../../../src/connectors/files/index.ts'
import { StreamsBuilder, type TopologyEnv } from '../../../../src/index.ts'
import { numbers } from '../worlds.ts'

export default (env: TopologyEnv) => {
  const { dir = '', count = '1000' } = env.settings
  const builder = new StreamsBuilder()
  const stream = builder.source('numbers', numbers(Number(count), 2, 13))
  stream.sink(jsonLinesSink({ path: `${dir}/numbers-{partition}.jsonl`, sync: false }), {
    name: 'numbers-out',
    batchRecords: 50,
  })
  stream
    .selectKey((n) => n % 10)
    .groupByKey()
    .count({ store: 'counts' })
    .toStream()
    .sink(jsonLinesSink({ path: `${dir}/counts-{partition}.jsonl`, format: 'records', sync: false }), {
      name: 'counts-out',
    })
  return builder.build()
}
