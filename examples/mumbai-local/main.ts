import { type Job, main } from '../lib/run.ts'
import type { Input } from '../lib/sender.ts'
import { generate } from './generator.ts'
import { report } from './report.ts'
import topology from './topology.ts'

export const job: Job = {
  name: 'mumbai-local',
  command: 'npm run start:mumbai --',
  topology,
  count: 100_000,
  *inputs(params) {
    const { taps, trains } = generate(params)
    const train = inputs('local-trains', trains, ({ route, arrivedAt, scheduledAt }) => [route, arrivedAt, scheduledAt])
    let next = train.next()
    for (const tap of inputs('local-taps', taps, ({ passengerId, timestamp }) => [passengerId, timestamp, timestamp])) {
      for (; next.done !== true && next.value.at <= tap.at; next = train.next()) yield next.value
      yield tap
    }
    for (; next.done !== true; next = train.next()) yield next.value
  },
  counts: ({ topic }) => (topic === 'local-taps' ? 'taps' : 'trains'),
  lateTopic: 'local-late',
  outputs: {
    'local-hourly': { rows: 'all', windowed: true },
    'local-rolling': { rows: 'all', windowed: true },
    'local-journeys': { rows: 'all', windowed: true },
    'local-board': { rows: 'all' },
    'local-train-hours': { rows: 'all', windowed: true },
    'local-alerts': { rows: 'all' },
    'local-late': { rows: 'all' },
  },
  report,
  next: [
    ['query journeys P000001', 'where has this passenger been?'],
    ['query hourly --limit 5', 'how full was it, hour by hour?'],
    ['consume local-board --max 5', 'the first trains, in the order of the timetable'],
  ],
}

/** One topic's events, with the time at which each has come: no earlier than those before it. */
function* inputs<E extends object>(
  topic: string,
  events: Iterable<E>,
  facts: (event: E) => [key: string, arrival: number, timestamp: number],
): Generator<Input & { readonly at: number }> {
  let at = 0
  for (const value of events) {
    const [key, arrival, timestamp] = facts(value)
    at = Math.max(at, arrival)
    yield { topic, key, value, timestamp, at }
  }
}

if (import.meta.main) await main(job)
