import { StreamsBuilder, serdes } from '../../../src/index.ts'
import { clock, type Trace } from './trace.ts'

export interface Ping extends Pick<Trace, 'due' | 'sent'> {
  readonly id: number
  readonly user: string
  readonly page: string
}

/** One of so many is written out: what the reader of the output does shall not count. */
export const sampled = 20

const builder = new StreamsBuilder()
builder
  .stream('pings', { key: serdes.string(), value: serdes.json<Ping>() })
  .mapValues((ping) => ({ ...ping, parsed: clock() }))
  .selectKey(({ user }) => user)
  .repartition()
  .mapValues((ping) => ({ ...ping, between: clock() }))
  .selectKey(({ page }) => page)
  .repartition()
  .filter(({ id }) => id % sampled === 0)
  .mapValues(({ due, sent, parsed, between }): Trace => ({ due, sent, parsed, between, arrived: clock() }))
  .to('pongs', { key: serdes.string(), value: serdes.json() })

export default builder.build()
