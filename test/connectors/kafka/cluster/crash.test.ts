import { setTimeout as delay } from 'node:timers/promises'
import { kafka } from '../broker.ts'
import { type Instance, Trial } from './trial.ts'

const faults = Number(process.env['DHAARA_CHAOS'] ?? 6)

describe('instances of an app that are killed, or stopped for longer than their session', () => {
  it(`have each effect exactly once (${faults} faults)`, async () => {
    await using trial = await Trial.make(await kafka(), 3)
    trial.start()
    for (let fault = 0; fault < faults; fault++) {
      await delay(1000 + Math.random() * 2500)
      const one = trial.instances[Math.floor(Math.random() * 3)] as Instance
      if (fault % 3 === 2) {
        one.child?.kill('SIGSTOP')
        await delay(4500)
        one.child?.kill('SIGCONT')
      } else {
        await one.end('SIGKILL')
        one.start()
      }
    }
    await trial.verify()
  }).timeout(120_000 + faults * 15_000)
})
