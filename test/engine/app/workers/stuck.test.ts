import assert from 'node:assert/strict'
import { type AppOptions, type DhaaraError, embeddedBroker, StreamsApp } from '../../../../src/index.ts'
import { moduleUrl, read, runToEnd, type Sent, send } from '../run.ts'

const cities = ['Mumbai', 'Delhi', 'Pune', 'Chennai', 'Kochi', 'Jaipur']

/** 600 orders in one partition, some of them with other amounts. */
const orders = (amounts: Record<number, number> = {}): Sent[] =>
  Array.from({ length: 600 }, (_, i) => ({
    key: 'a',
    value: { city: cities[i % cities.length], amount: amounts[i] ?? 1 },
    timestamp: 1_000_000 + i,
  }))

async function run(records: readonly Sent[], errors: AppOptions['errors'] = {}) {
  const broker = embeddedBroker({ partitions: 2 })
  await send(broker, 'orders', records)
  const told: DhaaraError[] = []
  const options = { topology: moduleUrl('looping'), workers: 2, broker, stuckAfter: '3s', errors } as const
  const done = await runToEnd(options).catch((error: DhaaraError) => void told.push(error))
  const rows = await read(broker, 'cities')
  const last = new Map(rows.map(({ key, value }) => [key, value]))
  const letters = await read(broker, 'test-dead-letters')
  await broker[Symbol.asyncDispose]()
  return {
    done,
    error: told[0],
    sum: [...last.values()].reduce((sum: number, one) => sum + (one as number), 0),
    letters,
  }
}

/** Where the first record of a key lies among two partitions. */
const place = /orders\[\d\] offset 437/

describe('a function that does not come back', () => {
  it('stops the app with its step, its task, its record and its line', async () => {
    const { error } = await run(orders({ 437: 13 }))
    assert.equal(error?.code, 'DHAARA_STEP_STUCK')
    assert.equal(error.step, 'judge')
    assert.match(error.message, /^worker [01] has not come back from step 'judge' for \d+\.\d s \(task 0_[01], at /)
    assert.match(error.message, place)
    assert.match(error.message, /in endless \(file:.*looping\.ts:9\)/)
    assert.match(error.message, /stuckAfter/)
  }).timeout(60_000)

  it('is known behind a repartition, too', async () => {
    const { error } = await run(orders({ 437: 99 }))
    assert.equal(error?.step, 'sums')
    assert.match(error.message, /task 1_[01]/)
    assert.match(error.message, place)
  }).timeout(60_000)

  it('is left out with its record where the policy says so, and nothing else is', async () => {
    const { done, sum, letters } = await run(orders({ 200: 13, 437: 99 }), { user: 'deadLetter' })
    assert.equal(done?.recordsIn, 598)
    assert.equal(sum, 598)
    assert.deepEqual(
      letters.map(({ value }) => (value as { amount: number }).amount),
      [13, 99],
    )
  }).timeout(60_000)

  it('is judged by a function that gets the record', async () => {
    const asked: unknown[] = []
    const { done, sum, letters } = await run(orders({ 437: 13 }), {
      user: (error, record) => {
        asked.push([error.code, error.step, record?.offset, JSON.parse(Buffer.from(record?.value ?? []).toString())])
        return 'skip'
      },
    })
    assert.deepEqual(asked, [['DHAARA_STEP_STUCK', 'judge', 437, { city: cities[437 % 6], amount: 13 }]])
    assert.deepEqual([done?.recordsIn, sum, letters], [599, 599, []])
  }).timeout(60_000)

  it('stops the app where no record is to blame, whatever the policy says', async () => {
    const { error } = await run(orders({ 437: 31 }), { user: 'skip' })
    assert.equal(error?.code, 'DHAARA_STEP_STUCK')
    assert.match(error.message, /^worker [01] has not come back from step 'closing' for .* \(task 1_[01], in endless /)
  }).timeout(60_000)

  it('is refused a time that is none', () => {
    assert.throws(
      () => new StreamsApp({ applicationId: 'test', topology: moduleUrl('looping'), workers: 1, stuckAfter: '-1s' }),
      { code: 'DHAARA_DURATION' },
    )
  })
})
