import { StreamsBuilder, serdes } from '../../../src/index.ts'

export interface Ping {
  readonly id: number
  readonly user: string
  readonly page: string
  /** When it was to be sent, whether or not its sender was in time. */
  readonly due: number
}

/** On its way: epoch milliseconds with fractions, by the clock that all threads share. */
interface Timed extends Ping {
  readonly parsed: number
}

/** One of so many is written out: what the reader of the output does shall not count. */
export const sampled = 20

export const clock = (): number => performance.timeOrigin + performance.now()

const builder = new StreamsBuilder()
builder
  .stream('pings', { key: serdes.string(), value: serdes.json<Ping>() })
  .mapValues((ping): Timed => ({ ...ping, parsed: clock() }))
  .selectKey(({ user }) => user)
  .repartition()
  .mapValues((ping) => ping)
  .selectKey(({ page }) => page)
  .repartition()
  .filter(({ id }) => id % sampled === 0)
  .mapValues(({ due, parsed }) => ({ due, parsed, arrived: clock() }))
  .to('pongs', { key: serdes.string(), value: serdes.json() })

export default builder.build()
