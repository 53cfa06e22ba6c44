import { setImmediate } from 'node:timers/promises'
import { aggregators, count, max, serdes, StreamsBuilder } from '../../../../src/index.ts'

const builder = new StreamsBuilder()
const asking = { now: 0, most: 0, failAt: -1 }

/** What the module's service has seen: in this thread only. */
export const seen = asking

/** Asks a service about each number, regroups the answers, and counts them. */
const answers = builder
  .stream('numbers', { key: serdes.string(), value: serdes.json<number>(), nullKeys: 'drop' })
  .mapAsync(
    async (n) => {
      asking.most = Math.max(asking.most, ++asking.now)
      for (let turns = n % 3; turns >= 0; turns--) await setImmediate()
      asking.now--
      if (n === asking.failAt) throw new Error('the service is down')
      return n * 2
    },
    { concurrency: 5 },
  )
answers.to('answers', { key: serdes.string(), value: serdes.json() })
answers
  .mapAsync((n) => Promise.resolve(n), { ordered: false })
  .groupBy((n) => `last digit ${n % 10}`)
  .aggregate(aggregators({ n: count(), most: max((n) => n) }))
  .toStream()
  .to('digits', { key: serdes.string(), value: serdes.json() })

export default builder.build()
