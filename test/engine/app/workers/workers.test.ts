import assert from 'node:assert/strict'
import { type DhaaraError, embeddedBroker, StreamsApp, type Topology } from '../../../../src/index.ts'
import { compare } from '../../../examples/compare.ts'
import topology from '../children/by-city.ts'
import { moduleUrl, read, runToEnd, type Sent, send } from '../run.ts'

const cities = ['Mumbai', 'Delhi', 'Pune', 'Chennai', 'Kochi', 'Jaipur', 'Surat']

function* orders(count: number): Generator<Sent> {
  for (let i = 0; i < count; i++) {
    const city = cities[(i * i + 3) % cities.length] as string
    yield { key: `customer-${i % 50}`, value: { city, amount: i % 12 }, timestamp: 1_000_000 + i }
  }
}

const coded = (code: string, pattern?: RegExp) => (error: DhaaraError) => {
  assert.equal(error.code, code)
  if (pattern !== undefined) assert.match(error.message, pattern)
  return true
}

describe('an app on worker threads', () => {
  it('gives what one thread gives, and goes on where it was', async () => {
    const expected = embeddedBroker({ partitions: 3 })
    await send(expected, 'orders', orders(5000))
    await runToEnd({ topology, broker: expected })

    const broker = embeddedBroker({ partitions: 3 })
    const all = [...orders(5000)]
    await send(broker, 'orders', all.slice(0, 3000))
    await runToEnd({ topology: moduleUrl('by-city'), workers: 2, broker, checkpointInterval: '5ms' })
    await send(broker, 'orders', all.slice(3000))
    const summary = await runToEnd({ topology: moduleUrl('by-city'), workers: 3, broker, checkpointInterval: '5ms' })

    compare('cities', 'last', await read(expected, 'cities'), await read(broker, 'cities'))
    const rows = await read(broker, 'cities')
    assert.equal(rows.length, 5000)
    assert.equal(summary.recordsIn, 2000)
    assert.equal(summary.recordsOut, 2000)
    await expected[Symbol.asyncDispose]()
    await broker[Symbol.asyncDispose]()
  }).timeout(60_000)

  it('runs setup and teardown in each worker, with the settings', async () => {
    const told: unknown[] = []
    const info = (fields: object, message?: string) => void (message !== 'app state' && told.push([message, fields]))
    const logger = { debug() {}, info, warn() {}, error() {} }
    const broker = embeddedBroker()
    await send(broker, 'names', [{ key: 'a', value: 'Asha', timestamp: 1 }])
    const settings = { output: 'greetings', greeting: 'Namaste' }
    await runToEnd({ topology: moduleUrl('with-setup'), workers: 2, settings, broker, logger })
    assert.deepEqual(
      (await read(broker, 'greetings')).map(({ value }) => value),
      ['Namaste Asha'],
    )
    assert.deepEqual(
      new Set(told.map((one) => JSON.stringify(one))),
      new Set([
        '["set up",{"worker":0}]',
        '["set up",{"worker":1}]',
        '["torn down",{"worker":0,"aborted":true}]',
        '["torn down",{"worker":1,"aborted":true}]',
      ]),
    )
    await broker[Symbol.asyncDispose]()
  }).timeout(60_000)

  it('asks the app where a policy is a function', async () => {
    const broker = embeddedBroker({ partitions: 2 })
    const found: string[] = []
    await send(broker, 'orders', [
      { key: 'a', value: { city: 'Pune', amount: 13 }, timestamp: 1 },
      { key: 'a', value: { city: 'Pune', amount: 14 }, timestamp: 2 },
      { key: 'b', value: { city: 'Kochi', amount: 13 }, timestamp: 3 },
    ])
    const summary = await runToEnd({
      topology: moduleUrl('picky'),
      workers: 2,
      broker,
      errors: {
        user(error, record) {
          found.push(`${error.code} ${record?.topic} ${record?.value && Buffer.from(record.value).toString()}`)
          return 'skip'
        },
      },
    })
    assert.deepEqual(
      (await read(broker, 'amounts')).map(({ value }) => value),
      [14],
    )
    assert.equal(found.length, 2)
    assert.match(found[0] as string, /^DHAARA_USER_CODE .*13/)
    assert.equal(summary.recordsIn, 3)
    await broker[Symbol.asyncDispose]()
  }).timeout(60_000)

  it('fails with the error of the user function, which names step and record', async () => {
    const broker = embeddedBroker({ partitions: 2 })
    await send(broker, 'orders', [{ key: 'a', value: { city: 'Pune', amount: 13 }, timestamp: 1 }])
    await assert.rejects(
      runToEnd({ topology: moduleUrl('picky'), workers: 2, broker }),
      coded('DHAARA_USER_CODE', /threw .*RangeError: thirteen/),
    )
    await broker[Symbol.asyncDispose]()
  }).timeout(60_000)

  it('refuses what cannot be sent to other threads', () => {
    const wrong = (options: object) => () => new StreamsApp({ applicationId: 'test', ...options } as never)
    assert.throws(wrong({ topology, workers: 2 }), coded('DHAARA_OPTION', /new URL\('\.\/topology\.ts'/))
    assert.throws(wrong({ topology: './by-city.ts', workers: 2 }), coded('DHAARA_OPTION', /the text '\.\/by-city\.ts'/))
    assert.throws(wrong({ topology: {} as Topology }), coded('DHAARA_OPTION', /an object of Object/))
    assert.throws(wrong({ topology: moduleUrl('by-city'), workers: -1 }), coded('DHAARA_OPTION', /workers is -1/))
    const clock = { now: () => 0, setTimer: () => ({ [Symbol.dispose]() {} }) }
    assert.throws(wrong({ topology: moduleUrl('by-city'), workers: 1, clock }), coded('DHAARA_OPTION', /a clock/))
  })

  const refused = [
    ['no-topology', 'DHAARA_MODULE', /no default export \(it exports topology\)/],
    ['not-there', 'DHAARA_MODULE', /could not be loaded/],
    ['unequal', 'DHAARA_PLAN_UNEQUAL', /must not depend on clock/],
    ['failing-setup', 'DHAARA_USER_CODE', /setup of the module threw RangeError: no model file/],
  ] as const
  for (const [name, code, pattern] of refused) {
    it(`tells what is wrong with the module '${name}'`, async () => {
      const broker = embeddedBroker()
      const app = new StreamsApp({ applicationId: 'test', topology: moduleUrl(name), workers: 2, broker })
      await assert.rejects(app.start(), coded(code, pattern))
      assert.equal(app.state, 'failed')
      await broker[Symbol.asyncDispose]()
    }).timeout(60_000)
  }
})
