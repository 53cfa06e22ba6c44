import assert from 'node:assert/strict'
import { type Clock, embeddedBroker, serdes, StreamsApp, StreamsBuilder, type Topology } from '../../../src/index.ts'
import { systemClock } from '../../../src/engine/runtime/clock.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'

const text = { key: serdes.string(), value: serdes.string() }

/** What comes out of a driver, and what an app counts as dropped. */
async function run(topology: Topology, sent: readonly (readonly [topic: string, key: string | null, value: string])[]) {
  await using broker = embeddedBroker({ partitions: 1 })
  using driver = new TopologyTestDriver(topology)
  for (const [topic, key, value] of sent) {
    driver.input(topic).send(value, { key, timestamp: 1000 })
    await using producer = broker.producer<string | null, string>(topic, text as never)
    await producer.send({ key, value, timestamp: 1000 })
  }
  const rows = driver
    .output('out')
    .readAll()
    .map(({ key, value }) => `${key}=${value}`)
  await using app = new StreamsApp({ applicationId: 'rules', topology, broker })
  await app.start()
  app.endInputs()
  const { dropped, recordsOut } = await app.completed
  assert.equal(recordsOut, rows.length)
  return { rows, dropped }
}

/** Forwards ticks of both clocks, and what its timers say. */
function ticking(): Topology {
  const builder = new StreamsBuilder()
  builder
    .stream('in', text)
    .process<string, string>((ctx) => {
      ctx.schedule('1s', 'wall', (at) => ctx.forward(`${at}`, 'wall'))
      ctx.schedule('1s', 'stream', (at) => ctx.forward(`${at}`, 'stream'))
      return {
        process(value, key, { timestamp }) {
          ctx.timers.set(key as string, timestamp + 500)
          ctx.forward(value as string, key as string)
        },
        onTimer: (key, at) => ctx.forward(`${at}`, `timer ${key}`),
      }
    })
    .to('out', text)
  return builder.build()
}

describe('records of a table without a key', () => {
  it('are left out and counted, whether the table is a topic or made of a stream', async () => {
    const builder = new StreamsBuilder()
    builder.table('rows', text).toStream().to('out', text)
    builder.stream('events', text).toTable().toStream().to('out', text)
    const { rows, dropped } = await run(builder.build(), [
      ['rows', null, 'lost'],
      ['rows', 'a', 'kept'],
      ['events', null, 'lost'],
      ['events', 'b', 'kept'],
      ['events', null, 'lost'],
    ])
    assert.deepEqual(rows.sort(), ['a=kept', 'b=kept'])
    assert.deepEqual(Object.values(dropped).sort(), [1, 2], JSON.stringify(dropped))
  })

  it('are left out of the tables that joins look into', async () => {
    const builder = new StreamsBuilder()
    const table = builder.table('rows', text)
    builder
      .stream('events', text)
      .leftJoin(table, (event, row) => `${event}+${row}`)
      .to('out', text)
    const { rows, dropped } = await run(builder.build(), [
      ['rows', null, 'lost'],
      ['rows', 'a', 'row'],
      ['events', 'a', 'e1'],
    ])
    assert.deepEqual(rows, ['a=e1+row'])
    assert.deepEqual(Object.values(dropped), [1])
  })
})

describe('at the end of the input', () => {
  it('timers of event time fire, and punctuators of the wall clock just stop', () => {
    using driver = new TopologyTestDriver(ticking(), { startTime: 100 })
    driver.input('in').send('v', { key: 'a', timestamp: 5000 })
    driver.advanceWallClock('1s')
    driver.end()
    const before = driver.output('out').readAll()
    assert.deepEqual(
      before.map(({ key, value }) => `${key} ${value}`).filter((row) => !row.startsWith('stream')),
      ['a v', 'wall 1100', 'timer a 5500'],
    )
  })

  it('an app completes though punctuators of the wall clock could go on for ever', async () => {
    let now = 1_000_000
    // time passes with each look at it: there is always another tick
    const clock: Clock = { ...systemClock, now: () => (now += 10_000) }
    await using broker = embeddedBroker({ partitions: 1 })
    await using producer = broker.producer('in', text)
    await producer.send({ key: 'a', value: 'v', timestamp: 5000 })
    await using app = new StreamsApp({ applicationId: 'ends', topology: ticking(), broker, clock })
    await app.start()
    app.endInputs()
    const { recordsIn } = await app.completed
    assert.equal(recordsIn, 1)
    const { recordsOut } = app.metrics()
    for (let looks = 0; looks < 100; looks++) clock.now()
    assert.equal(app.metrics()['recordsOut'], recordsOut)
  })
})
