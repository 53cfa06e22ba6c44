import { type Job, main } from '../lib/run.ts'
import { generate } from './generator.ts'
import { liveLine, report } from './report.ts'
import topology from './topology.ts'

export const job: Job = {
  name: 'hotstar',
  command: 'npm run start:hotstar --',
  topology,
  count: 20_000,
  *inputs(params) {
    for (const event of generate(params)) {
      yield { topic: 'hotstar-events', key: event.sessionId, value: event, timestamp: event.timestamp }
    }
  },
  counts: ({ value }) => ('eventType' in value && value.eventType === 'play' ? 'plays' : undefined),
  lateTopic: 'hotstar-late',
  live: { topics: ['hotstar-alerts'], windowed: ['hotstar-minutes'], line: liveLine, most: 60 },
  outputs: {
    'hotstar-minutes': { rows: 'all', windowed: true },
    'hotstar-regions': { rows: 'all', windowed: true },
    'hotstar-quality': { rows: 'all', windowed: true },
    'hotstar-commands': { rows: 'all' },
    'hotstar-alerts': { rows: 'all' },
  },
  report,
  async page() {
    // only who wants the page needs what it is built with
    const { buildPage } = await import('./page/build.ts')
    return buildPage()
  },
  next: [
    ['query concurrent ipl_csk_vs_mi_final_2024', 'how many watch the final, and how many did at its peak?'],
    ['query sessions S0000001', 'is this player playing, and at what quality?'],
    ['query demand india', 'the load of each region now'],
  ],
}

if (import.meta.main) await main(job)
