/** Orders in two sub-topologies, of which a negative one ends its thread, the first time that it comes. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { count, serdes, StreamsBuilder, type Topology } from '../../../../src/index.ts'

export default ({ settings: { dir = '' } }: { readonly settings: Readonly<Record<string, string>> }): Topology => {
  const died = join(dir, 'died')
  const builder = new StreamsBuilder()
  builder
    .stream('orders', { key: serdes.string(), value: serdes.json<number>() })
    .mapValues((n) => {
      if (n < 0 && !existsSync(died)) {
        writeFileSync(died, '')
        process.exit(1)
      }
      return n
    })
    .groupBy((n) => `g${n % 7}`, { name: 'sevens' })
    .aggregate(count(), { store: 'counts' })
  return builder.build()
}
