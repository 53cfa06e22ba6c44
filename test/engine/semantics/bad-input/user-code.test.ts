import assert from 'node:assert/strict'
import { embeddedBroker, serdes, StreamsBuilder, type Topology } from '../../../../src/index.ts'
import { TopologyTestDriver } from '../../../../src/testing/index.ts'
import { order, fill, run, failure, all, good } from './orders.ts'

describe('what bad input gets', () => {
  describe('user code', () => {
    /** Throws for 5 when it has already changed its aggregate. */
    function halfWay(): Topology {
      const builder = new StreamsBuilder()
      builder
        .stream('orders', { key: serdes.string(), value: serdes.json(order) })
        .groupByKey()
        .aggregate(
          () => ({ all: [] as number[] }),
          function addOrder(held, { total }) {
            held.all.push(total)
            if (total === 5) throw new RangeError('five is too many')
            return held
          },
          { name: 'held' },
        )
        .toStream()
        .to('totals', { key: serdes.string(), value: serdes.json() })
      return builder.build()
    }

    it('that throws fails the app: nothing of the epoch is written, and a restart finds it again', async () => {
      const broker = embeddedBroker({ partitions: 1 })
      await fill(broker, [good(1), good(5), good(2)])
      for (let runs = 0; runs < 2; runs++) {
        const error = await failure(run(broker, halfWay()))
        assert.equal(error.code, 'DHAARA_USER_CODE')
        assert.equal(error.step, 'held')
        assert.match(error.message, /step 'held' threw at orders\[0\] offset 1: RangeError: five is too many/)
        assert.match((error.cause as Error).stack ?? '', /addOrder .*user-code\.test\.ts:\d+/)
        assert.deepEqual(await all(broker, 'totals'), [])
      }
      await broker[Symbol.asyncDispose]()
    })

    for (const user of ['skip', 'deadLetter'] as const) {
      it(`that throws half-way leaves its aggregate as it was: ${user}`, async () => {
        const broker = embeddedBroker({ partitions: 1 })
        await fill(broker, [good(1), good(5), good(2), good(5), good(3)])
        const { metrics, summary } = await run(broker, halfWay(), { errors: { user } })
        assert.deepEqual(
          (await all(broker, 'totals')).map(({ value }) => value),
          ['{"all":[1]}', '{"all":[1,2]}', '{"all":[1,2,3]}'],
        )
        assert.equal(metrics['held.failed'], 2)
        assert.equal(summary.recordsIn, 5)
        const letters = await all(broker, 'bad-dead-letters')
        assert.deepEqual(
          letters.map(({ value, headers }) => [
            value,
            headers['dhaara-error-code'],
            headers['dhaara-error-step'],
            headers['dhaara-offset'],
          ]),
          user === 'skip'
            ? []
            : [
                ['{"total":5}', 'DHAARA_USER_CODE', 'held', '1'],
                ['{"total":5}', 'DHAARA_USER_CODE', 'held', '3'],
              ],
        )
        await broker[Symbol.asyncDispose]()
      })
    }

    it('that throws is tried again where the policy says so', async () => {
      const broker = embeddedBroker({ partitions: 1 })
      await fill(broker, [good(1), good(2)])
      let failures = 0
      const builder = new StreamsBuilder()
      builder
        .stream('orders', { key: serdes.string(), value: serdes.json(order) })
        .mapValues(({ total }) => {
          if (total === 2 && failures++ < 2) throw new Error('not yet')
          return total
        })
        .to('totals', { key: serdes.string(), value: serdes.json() })
      await run(broker, builder.build(), { errors: { user: () => 'retry' } })
      assert.equal(failures, 3)
      assert.deepEqual(
        (await all(broker, 'totals')).map(({ value }) => value),
        ['1', '2'],
      )
      await broker[Symbol.asyncDispose]()
    })

    it('that changes what it was handed is named, in every kind of function', () => {
      const change = (value: { total: number }) => {
        value.total++
        return value
      }
      const mine = { name: 'culprit' }
      const source = { key: serdes.string(), value: serdes.json(order) }
      type Orders = ReturnType<typeof streamOf>
      const streamOf = (builder: StreamsBuilder) => builder.stream('orders', source)
      const changing: Readonly<Record<string, (s: Orders) => unknown>> = {
        filter: (s) => s.filter((v) => change(v).total > 0, mine),
        mapValues: (s) => s.mapValues(change, mine),
        branch: (s) =>
          s
            .split(mine)
            .branch('a', (v: { total: number }) => change(v).total > 0)
            .noDefault(),
        aggregate: (s) =>
          s.groupByKey().aggregate(
            () => 0,
            (sum, v) => sum + change(v).total,
            mine,
          ),
        reduce: (s) => s.groupByKey().reduce((_, v) => change(v), mine),
        table: (s) => s.toTable().mapValues(change, mine),
        joiner: (s) => s.join(s.toTable(), (_, row) => change(row), mine),
        process: (s) => s.process(() => ({ process: (v: { total: number }) => void change(v) }), mine),
      }
      for (const [name, build] of Object.entries(changing)) {
        const builder = new StreamsBuilder()
        build(streamOf(builder))
        using driver = new TopologyTestDriver(builder.build())
        assert.throws(
          () => {
            driver.input('orders').send({ total: 1 }, { key: 'a' })
            driver.input('orders').send({ total: 1 }, { key: 'a' })
          },
          {
            code: 'DHAARA_MUTATION',
            step: 'culprit',
            message: /step 'culprit'.*'total'.*read-only: return a new value/,
          },
          name,
        )
      }
    })
  })
})
