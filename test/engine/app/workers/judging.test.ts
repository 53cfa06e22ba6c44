import assert from 'node:assert/strict'
import { embeddedBroker } from '../../../../src/index.ts'
import topology from '../children/judging.ts'
import { moduleUrl, read, runToEnd, type Sent, send } from '../run.ts'

const numbers: Sent[] = Array.from({ length: 3000 }, (_, i) => ({ key: `k${i % 40}`, value: i, timestamp: 10_000 + i }))
const rules: Sent[] = Array.from({ length: 10 }, (_, i) => ({ key: `${i}`, value: i + 1, timestamp: i }))

describe('broadcast rules and two phases in an app', () => {
  for (const workers of [0, 2, 3]) {
    it(`give what a loop gives, on ${workers === 0 ? 'one thread' : `${workers} workers`}`, async () => {
      const broker = embeddedBroker({ partitions: 3 })
      // rules first: a task waits for input that may be older
      await send(broker, 'rules', rules)
      await send(broker, 'numbers', numbers)
      const program = workers === 0 ? { topology } : { topology: moduleUrl('judging'), workers }
      await runToEnd({ ...program, broker, checkpointInterval: '5ms', maxTaskIdle: '5s' })
      const judged = await read(broker, 'judged')
      assert.equal(judged.length, 3000)
      for (const { value } of judged) {
        const { n, factor, rules: held } = value as { n: number; factor: number; rules: number }
        assert.deepEqual([factor, held], [(n % 10) + 1, 10])
      }
      const totals = new Map((await read(broker, 'totals')).map(({ key, value }) => [key, value]))
      const of = (which: (n: number) => boolean) => {
        const all = numbers.map(({ value }) => value as number).filter(which)
        return { count: all.length, total: all.reduce((sum, n) => sum + n * ((n % 10) + 1), 0) }
      }
      assert.deepEqual(
        totals.get('even'),
        of((n) => n % 2 === 0),
      ) // prettier-ignore
      assert.deepEqual(
        totals.get('odd7'),
        of((n) => n % 10 === 7),
      ) // prettier-ignore
      await broker[Symbol.asyncDispose]()
    }).timeout(60_000)
  }
})
