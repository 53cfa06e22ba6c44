import { type Job, main } from '../lib/run.ts'
import { generate } from './generator.ts'
import { report, signalLine } from './report.ts'
import { RECIPIENTS } from './signals.ts'
import topology from './topology.ts'

const TOPIC = 'nse-events'
const topics = [...new Set(Object.values(RECIPIENTS))]

export const job: Job = {
  name: 'nse',
  command: 'npm run start:nse --',
  topology,
  count: 100_000,
  *inputs(params) {
    for (const event of generate(params)) {
      yield { topic: TOPIC, key: event.symbol, value: event, timestamp: event.timestamp }
    }
  },
  counts: ({ value }) => ('eventType' in value && value.eventType === 'trade' ? 'trades' : undefined),
  lateTopic: 'nse-late',
  live: { topics, line: signalLine },
  outputs: {
    ...Object.fromEntries(topics.map((topic) => [topic, { rows: 'all' as const }])),
    'nse-symbols': { rows: 'last' },
    'nse-late': { rows: 'all' },
  },
  report,
  next: [
    ['query symbols TCS', 'how often was each pattern seen for TCS?'],
    ['consume nse-sebi --max 5', 'what the regulator was told first'],
    ['consume nse-surveillance --max 5', 'orders that were reversed'],
  ],
}

if (import.meta.main) await main(job)
