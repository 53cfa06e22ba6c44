/** As `spread`, but its threads end in the middle, each time once. */
import { existsSync, writeFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { jsonLinesSink } from '../../../../src/connectors/files/index.ts'
import { StreamsBuilder, type TopologyEnv } from '../../../../src/index.ts'
import { numbers } from '../worlds.ts'

export default (env: TopologyEnv) => {
  const { dir = '' } = env.settings
  const builder = new StreamsBuilder()
  const path = (name: string) => `${dir}/${name}-{partition}.jsonl`
  const stream = builder.source('numbers', numbers(600, 2, 11)).peek((n) => {
    if (isMainThread || n % 200 !== 150 || existsSync(`${dir}/died-${n}`)) return
    writeFileSync(`${dir}/died-${n}`, '')
    process.exit(1)
  })
  stream.sink(jsonLinesSink({ path: path('numbers'), sync: false }), { name: 'numbers-out', batchRecords: 7 })
  stream
    .groupBy((n) => n % 10)
    .count({ store: 'counts' })
    .toStream()
    .sink(jsonLinesSink({ path: path('counts'), format: 'records', sync: false }), { name: 'counts-out' })
  return builder.build()
}
