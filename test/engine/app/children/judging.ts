import { count, aggregators, serdes, StreamsBuilder, sum } from '../../../../src/index.ts'

const builder = new StreamsBuilder()
const key = serdes.string()
const rules = builder.stream('rules', { key, value: serdes.json<number>(), nullKeys: 'drop', tombstones: 'keep' })

/** Numbers times the rule of their last digit, counted in two phases: half of them are of one group. */
const judged = builder
  .stream('numbers', { key, value: serdes.json<number>(), nullKeys: 'drop' })
  .withBroadcast(rules, (n, all) => ({ n, factor: all.get(`${n % 10}`) ?? 0, rules: all.size }))
judged.to('judged', { key, value: serdes.json() })
judged
  .groupBy(({ n }) => (n % 2 === 0 ? 'even' : `odd${n % 10}`))
  .aggregate(aggregators({ count: count(), total: sum(({ n, factor }) => n * factor) }), { twoPhase: true })
  .toStream()
  .to('totals', { key, value: serdes.json() })

export default builder.build()
