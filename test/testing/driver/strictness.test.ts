import assert from 'node:assert/strict'
import { serdes, StreamsBuilder, type Topology } from '../../../src/index.ts'
import { stores } from '../../../src/index.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'
import { text, coded, values } from './topologies.ts'

describe('TopologyTestDriver', () => {
  describe('strictness', () => {
    function mutating(): Topology {
      const builder = new StreamsBuilder()
      builder
        .stream('in', { value: serdes.json<{ n: number }>() })
        .mapValues(function addOne(value) {
          ;(value as { n: number }).n++
          return value
        })
        .to('out', { value: serdes.json() })
      return builder.build()
    }

    it('names a function that changes what it was handed', () => {
      using driver = new TopologyTestDriver(mutating())
      assert.throws(
        () => driver.input('in').send({ n: 1 }),
        coded('DHAARA_MUTATION', /addOne.*read-only.*return a new/s),
      )
    })

    it('can be switched off', () => {
      using driver = new TopologyTestDriver(mutating(), { strict: false })
      driver.input('in').send({ n: 1 })
      assert.deepEqual(values(driver), [{ n: 2 }])
    })

    it('shows at once what a serde loses', () => {
      const builder = new StreamsBuilder()
      const day = stores.keyValue('day', { key: serdes.string(), value: serdes.json<{ at: Date }>() })
      builder.addStateStore(day)
      builder
        .stream('in', text)
        .process<string, string>(
          (ctx) => ({
            process(_, key) {
              ctx.store(day).put(key as string, { at: new Date(0) })
              ctx.forward(typeof ctx.store(day).get(key as string)?.at, key as string)
            },
          }),
          { stores: [day] },
        )
        .to('out', text)
      for (const [strict, found] of [
        [true, 'string'],
        [false, 'object'],
      ] as const) {
        using driver = new TopologyTestDriver(builder.build(), { strict })
        driver.input('in').send('x', { key: 'a' })
        assert.deepEqual(values(driver), [found])
      }
    })
  })

  it('is closed once, and then refuses to be used', () => {
    let closed = 0
    const builder = new StreamsBuilder()
    builder.stream('in', text).process(() => ({ process() {}, close: () => void closed++ }))
    const driver = new TopologyTestDriver(builder.build())
    driver.close()
    driver.close()
    assert.equal(closed, 1)
    assert.throws(() => driver.input('in').send('a'), coded('DHAARA_APP_STATE', /closed/))
  })

  it('throws what the topology throws, and goes on', () => {
    const builder = new StreamsBuilder()
    builder
      .stream('in', text)
      .filter((value) => {
        if (value === 'bad') throw new RangeError('too bad')
        return true
      })
      .to('out', text)
    using driver = new TopologyTestDriver(builder.build())
    assert.throws(
      () => driver.input('in').send('bad'),
      coded('DHAARA_USER_CODE', /step 'in-filter-1'.*in\[0\] offset 0.*too bad/),
    )
    driver.input('in').send('good')
    assert.deepEqual(values(driver), ['good'])
  })
})
