/** Counts numbered writes by key; and behind a change of key, by the key's first letter. A write may end its thread, once. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { serdes, StreamsBuilder, type Topology, type TopologyEnv } from '../../../../src/index.ts'
import type { Register } from './history.ts'

export interface Write {
  readonly n: number
  /** A name for the end of the thread that meets it. */
  readonly ends?: string
}

export const writesTopic = 'writes'

export function registers(topic: string, marks = ''): Topology {
  const builder = new StreamsBuilder()
  const writes = builder
    .stream(topic, { key: serdes.string(), value: serdes.json<Write>(), nullKeys: 'drop' })
    .peek(({ ends }) => {
      if (ends === undefined || marks === '' || existsSync(join(marks, ends))) return
      writeFileSync(join(marks, ends), '')
      process.exit(1)
    })
  writes.groupByKey().aggregate(
    (): Register => ({ count: 0, last: 0 }),
    ({ count }, { n }) => ({ count: count + 1, last: n }),
    {
      store: 'registers',
    },
  )
  writes.groupBy((_, key) => key.slice(0, 1)).count({ store: 'groups' })
  return builder.build()
}

export default ({ settings: { topic = writesTopic, marks = '' } }: TopologyEnv): Topology => registers(topic, marks)
