import assert from 'node:assert/strict'
import { AfterMatchSkip, DhaaraError, serdes, StreamsBuilder, watermarks } from '../../../../src/index.ts'
import { TopologyTestDriver } from '../../../../src/testing/index.ts'
import { is, type Item } from './items.ts'
import { late, topologyOf, records } from './topologies.ts'

describe('match', () => {
  it('follows a change of key, and decides what is late by the watermark of the source', () => {
    const builder = new StreamsBuilder()
    builder
      .stream('in', {
        value: serdes.json<Item>(),
        timestamp: (item) => item.at,
        watermark: watermarks.boundedOutOfOrderness(2),
      })
      .groupBy((item) => item.key)
      .match((q) => q.begin('x').where(is('a')).followedBy('y').where(is('b')))
      .late('late', { key: serdes.string(), value: serdes.json<Item>() })
      .select(({ x, y }, key) => `${key} ${x[0].n},${y[0].n}`)
      .to('out', { key: serdes.string(), value: serdes.string() })
    const driver = new TopologyTestDriver(builder.build(), { batchSize: 100 })
    const items = ['a1', 'a2', 'b1', 'd1', 'b2', 'a1'].map((text, n) => ({
      value: { kind: text[0] as string, key: `k${text[1]}`, n, at: n === 5 ? 1 : 10 + n },
    }))
    driver.input('in').sendAll(items)
    driver.end()
    assert.deepEqual(records(driver).toSorted(), ['k1@12 k1 0,2', 'k2@14 k2 1,4'])
    assert.deepEqual(late(driver), [5])
  })

  it('names the step whose condition threw', () => {
    const builder = new StreamsBuilder()
    builder
      .stream('in', { key: serdes.string(), value: serdes.json<Item>(), timestamp: (item) => item.at })
      .match((q) => q.begin('x').where((item) => (item.kind === 'd' ? assert.fail('no d') : true)), { name: 'find' })
      .select((match) => (match.x[0].kind === 'c' ? assert.fail('no c') : match.x[0].kind))
      .to('out', { key: serdes.string(), value: serdes.string() })
    const driver = new TopologyTestDriver(builder.build())
    const send = (kind: string, at: number) => driver.input('in').send({ key: 'k', kind, n: at, at }, { key: 'k' })
    send('a', 1)
    send('d', 2)
    assert.throws(
      () => send('b', 3),
      (e) => e instanceof DhaaraError && e.step === 'find',
    )
  })

  it('names who changes an event or a match', () => {
    const run = (change: 'condition' | 'select') => {
      const builder = new StreamsBuilder()
      const write = (item: { n: number }) => {
        item.n = 0
        return true
      }
      builder
        .stream('in', { key: serdes.string(), value: serdes.json<Item>(), timestamp: (item) => item.at })
        .match((q) => q.begin('x').where((item) => change !== 'condition' || write(item)), { name: 'find' })
        .select(({ x }) => change === 'select' && write(x[0]))
        .to('out', { key: serdes.string(), value: serdes.json() })
      const driver = new TopologyTestDriver(builder.build())
      driver.input('in').send({ key: 'k', kind: 'a', n: 1, at: 1 }, { key: 'k' })
      driver.end()
    }
    const names = (text: string) => (e: unknown) =>
      e instanceof DhaaraError && e.code === 'DHAARA_MUTATION' && e.message.includes(text)
    assert.throws(() => run('condition'), names('(condition)'))
    assert.throws(() => run('select'), names("step 'find' (({ x }) =>"))
  })

  it('goes by the clock in processing time', () => {
    const driver = new TopologyTestDriver(topologyOf(0, { time: 'processing' }), { startTime: 100 })
    const send = (kind: string, n: number) => driver.input('in').send({ key: 'k', kind, n, at: 1000 - n }, { key: 'k' })
    send('a', 1)
    driver.advanceWallClock(6)
    send('b', 2)
    send('c', 3)
    assert.deepEqual(records(driver), ['k@106 loop k 1,2,3 100..106'])
    send('a', 4)
    const restore = driver.checkpoint()
    driver.advanceWallClock(7)
    assert.deepEqual(records(driver), ['k@112 gone loop k 1,2 @112', 'k@113 absent k 4 106..106'])
    const later = new TopologyTestDriver(topologyOf(0, { time: 'processing' }), { restore })
    later.end()
    const rest = ['k@112 gone loop k 1,2 @112', 'k@113 absent k 4 106..106', 'k@118 gone loop k 4 @118']
    assert.deepEqual(records(later), rest)
  })

  it('holds events of one millisecond of processing time for orderBy', () => {
    const orderBy = (a: Item, b: Item) => a.n - b.n
    const driver = new TopologyTestDriver(topologyOf(0, { time: 'processing', orderBy }), { startTime: 100 })
    const send = (kind: string, n: number) => driver.input('in').send({ key: 'k', kind, n, at: 0 }, { key: 'k' })
    send('c', 3)
    send('b', 2)
    send('a', 1)
    assert.deepEqual(records(driver), [])
    driver.advanceWallClock(1)
    assert.deepEqual(records(driver), ['k@100 loop k 1,2,3 100..100'])
  })

  it('drops and counts records without key or value', () => {
    const driver = new TopologyTestDriver(topologyOf(0))
    driver.input('in').send({ key: 'k', kind: 'a', n: 1, at: 1 }, { key: null })
    driver.end()
    assert.deepEqual(records(driver), [])
  })

  it('skips as it was told', () => {
    const builder = new StreamsBuilder()
    builder
      .stream('in', { key: serdes.string(), value: serdes.json<Item>(), timestamp: (item) => item.at })
      .match((q) => q.begin('x').where(is('a')).followedBy('y').where(is('a')), {
        skip: AfterMatchSkip.pastLastEvent(),
      })
      .flatSelect((match) => [match.x[0].n, match.y[0].n])
      .to('out', { key: serdes.string(), value: serdes.json<number>() })
    const driver = new TopologyTestDriver(builder.build())
    for (let at = 1; at <= 4; at++) driver.input('in').send({ key: 'k', kind: 'a', n: at, at }, { key: 'k' })
    driver.end()
    assert.deepEqual(
      driver
        .output('out')
        .readAll()
        .map(({ value }) => value),
      [1, 2, 3, 4],
    )
  })
})
