import { type Job, main } from '../lib/run.ts'
import { generate } from './generator.ts'
import { report } from './report.ts'
import topology from './topology.ts'

const TOPIC = 'flipkart-orders'

export const job: Job = {
  name: 'flipkart',
  command: 'npm start --',
  topology,
  count: 200_000,
  *inputs(params) {
    for (const event of generate(params)) {
      yield { topic: TOPIC, key: event.customerId, value: event, timestamp: event.timestamp }
    }
  },
  counts: ({ value }) => ('eventType' in value && value.eventType === 'order_placed' ? 'orders' : undefined),
  lateTopic: 'flipkart-late',
  outputs: {
    'flipkart-customers': { rows: 'last' },
    'flipkart-sellers': { rows: 'last' },
    'flipkart-cities': { rows: 'last' },
    'flipkart-category-trends': { rows: 'all', windowed: true },
    'flipkart-status-counts': { rows: 'last' },
    'flipkart-alerts': { rows: 'all' },
    'flipkart-fraud': { rows: 'all' },
  },
  report,
  next: [
    ['query customers CUST000001', 'what has this customer spent?'],
    ['query category-trends Books', "the hours of a category's day"],
    ['consume flipkart-alerts --max 5', 'the first alerts'],
  ],
}

if (import.meta.main) await main(job)
