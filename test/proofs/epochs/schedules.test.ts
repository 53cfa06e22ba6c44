import { SCHEDULES } from './schedules.ts'

describe('proof: epochs, dangerous schedules', () => {
  for (const [name, run] of Object.entries(SCHEDULES)) it(name, () => run())
})
