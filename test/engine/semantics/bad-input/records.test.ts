import assert from 'node:assert/strict'
import type { DhaaraError } from '../../../../src/index.ts'
import { embeddedBroker, serdes, StreamsBuilder, type Topology } from '../../../../src/index.ts'
import { TopologyTestDriver } from '../../../../src/testing/index.ts'
import { type Raw, utf8, orders, fill, run, failure, all, good } from './orders.ts'

/** A record that a source cannot take. */
interface BadRecord {
  readonly name: string
  readonly record: Partial<Raw>
  readonly code: string
  readonly says: RegExp
  readonly source?: object
}

const badRecords: readonly BadRecord[] = [
  {
    name: 'malformed JSON',
    record: { value: utf8('{"total":') },
    code: 'DHAARA_DESERIALIZE',
    says: /7b22746f74616c223a.*expected JSON/,
  },
  {
    name: 'bytes that are no UTF-8',
    record: { value: Buffer.of(0xff, 0xfe) },
    code: 'DHAARA_DESERIALIZE',
    says: /fffe.*expected/,
  },
  {
    name: 'no value at all',
    record: { value: Buffer.alloc(0) },
    code: 'DHAARA_DESERIALIZE',
    says: /no bytes; expected/,
  },
  {
    name: 'a value of another type',
    record: { value: utf8('{"total":"7"}') },
    code: 'DHAARA_SCHEMA',
    says: /total.*expected number/i,
  },
  {
    name: 'a value without what the schema needs',
    record: { value: utf8('{}') },
    code: 'DHAARA_SCHEMA',
    says: /total/,
  },
  {
    name: 'a key of another type',
    record: { key: utf8('abc') },
    source: { key: serdes.number() },
    code: 'DHAARA_DESERIALIZE',
    says: /3 bytes.*expected 8 bytes/,
  },
  {
    name: 'a missing key',
    record: { key: null },
    source: { nullKeys: 'fail' },
    code: 'DHAARA_KEY_NULL',
    says: /found a record without a key.*nullKeys: 'keep' \| 'drop'/,
  },
  {
    name: 'a timestamp that is NaN',
    record: {},
    source: { timestamp: () => Number.NaN },
    code: 'DHAARA_TIMESTAMP',
    says: /found the timestamp NaN; expected an integer/,
  },
  {
    name: 'a timestamp that is no number',
    record: {},
    source: { timestamp: () => '12' },
    code: 'DHAARA_TIMESTAMP',
    says: /found the timestamp .*12/,
  },
  {
    name: 'a timestamp that is negative',
    record: {},
    source: { timestamp: () => -1 },
    code: 'DHAARA_TIMESTAMP',
    says: /found the timestamp -1; expected an integer number of milliseconds from 0/,
  },
  {
    name: 'a timestamp with a fraction',
    record: {},
    source: { timestamp: () => 1.5 },
    code: 'DHAARA_TIMESTAMP',
    says: /found the timestamp 1.5/,
  },
  {
    name: 'a timestamp in seconds times a thousand too many',
    record: {},
    source: { timestamp: () => 1_700_000_000_000_000 },
    code: 'DHAARA_TIMESTAMP',
    says: /1700000000000000.*maxTimestampAhead/,
  },
  {
    name: 'a timestamp centuries ahead',
    record: {},
    source: { timestamp: () => Date.UTC(2525, 1, 1) },
    code: 'DHAARA_TIMESTAMP',
    says: /maxTimestampAhead/,
  },
  {
    name: 'a timestamp two days ahead',
    record: {},
    source: { timestamp: () => Date.now() + 2 * 86_400_000 },
    code: 'DHAARA_TIMESTAMP',
    says: /maxTimestampAhead/,
  },
  {
    name: 'a timestamp function that throws',
    record: {},
    source: { timestamp: (v: never) => (v as { at: Date }).at.getTime() },
    code: 'DHAARA_TIMESTAMP',
    says: /threw TypeError.*expected/,
  },
]

/** Only the record with total 5 is bad by its source. */
const onlyFive = (source: object | undefined): object =>
  source !== undefined && 'timestamp' in source
    ? {
        timestamp: (v: { total: number }, _: unknown, record: { timestamp: number }) =>
          v.total === 5 ? (source.timestamp as (v: unknown) => unknown)(v) : record.timestamp,
      }
    : (source ?? {})

describe('what bad input gets', () => {
  describe('a record that cannot be read', () => {
    for (const { name, record, code, says, source } of badRecords) {
      const keyed = source !== undefined && 'key' in source
      const bad = { ...good(5), ...record }
      const key = keyed ? Buffer.from(serdes.number().serialize(7, '')) : utf8('a')
      const given = [{ ...good(1), key }, bad, { ...good(2), key }]
      const sums = ['1', '3']

      it(`${name}: fails by default, and nothing of the rest is lost when it is skipped`, async () => {
        const broker = embeddedBroker({ partitions: 1 })
        await fill(broker, given)
        const error = await failure(run(broker, orders(onlyFive(source))))
        assert.equal(error.code, code)
        assert.equal(error.domain, 'data')
        assert.equal(error.step, 'orders')
        assert.match(error.message, says)
        assert.match(error.message, /source 'orders', orders\[0\] offset 1/)
        const { metrics } = await run(broker, orders({ ...onlyFive(source), onInvalid: 'skip' }))
        assert.equal(metrics['orders.invalid'], 1)
        assert.deepEqual(
          (await all(broker, 'totals')).map(({ value }) => value),
          sums,
        )
        await broker[Symbol.asyncDispose]()
      })

      it(`${name}: goes to the dead letters as it was, with what, where, why and when`, async () => {
        const broker = embeddedBroker({ partitions: 1 })
        await fill(broker, given)
        const asked: string[] = []
        const data = ((e: DhaaraError) => {
          asked.push(e.code)
          return 'deadLetter'
        }) as never
        await run(broker, orders(onlyFive(source)), { errors: { data } })
        assert.deepEqual(asked, [code])
        assert.deepEqual(
          (await all(broker, 'totals')).map(({ value }) => value),
          sums,
        )
        const [letter, ...others] = await all(broker, 'bad-dead-letters')
        assert.equal(others.length, 0)
        assert.equal(letter?.value, bad.value?.toString())
        assert.equal(letter?.key, bad.key === null ? null : bad.key?.toString())
        const { headers } = letter ?? { headers: {} }
        assert.equal(headers['dhaara-error-code'], code)
        assert.match(headers['dhaara-error-message'] ?? '', says)
        assert.equal(headers['dhaara-error-step'], 'orders')
        assert.deepEqual(
          [headers['dhaara-topic'], headers['dhaara-partition'], headers['dhaara-offset']],
          ['orders', '0', '1'],
        )
        assert.ok(Math.abs(Number(headers['dhaara-time']) - Date.now()) < 600_000)
        await broker[Symbol.asyncDispose]()
      })
    }

    it('a null value is dropped and counted, and is a deletion in a table', () => {
      using driver = new TopologyTestDriver(orders())
      driver.input('orders').send({ total: 1 }, { key: 'a' })
      driver.input('orders').send(null, { key: 'a' })
      driver.input('orders').send({ total: 2 }, { key: 'a' })
      assert.deepEqual(
        driver
          .output('totals')
          .readAll()
          .map(({ value }) => value),
        [1, 3],
      )
    })

    it('an unknown topic is named, with those that are known', () => {
      using driver = new TopologyTestDriver(orders())
      assert.throws(() => driver.input('order'), {
        code: 'DHAARA_TOPIC_UNKNOWN',
        message: /'order'; its sources read: orders/,
      })
    })
  })

  describe('a large record', () => {
    const large = (): Topology => {
      const builder = new StreamsBuilder()
      builder
        .stream('orders', { key: serdes.string(), value: serdes.string() })
        .selectKey((_, key) => `${key}!`, { key: serdes.string(), value: serdes.string() })
        .groupByKey()
        .reduce((_, value) => value, { store: 'held' })
        .toStream()
        .to('totals', { key: serdes.string(), value: serdes.string() })
      return builder.build()
    }

    for (const [name, key, value] of [
      ['a key of 1 MB', 'k'.repeat(1 << 20), 'v'],
      ['a value of 16 MB', 'k', 'v'.repeat(16 << 20)],
    ] as const) {
      it(`${name} goes through repartition, state, checkpoint and sink`, async () => {
        const broker = embeddedBroker({ partitions: 1 })
        await fill(broker, [{ key: utf8(key), value: utf8(value), timestamp: 1 }])
        await run(broker, large())
        const [found, ...others] = await all(broker, 'totals')
        assert.equal(others.length, 0)
        assert.ok(found?.key === `${key}!` && found.value === value)
        await broker[Symbol.asyncDispose]()
      }).timeout(60_000)
    }

    it('beyond the limit is refused where it is sent, with the limit', async () => {
      const broker = embeddedBroker()
      const value = Buffer.alloc((1 << 30) + 1)
      const error = await failure(fill(broker, [{ key: null, value, timestamp: 1 }]))
      assert.equal(error.code, 'DHAARA_RECORD_TOO_LARGE')
      assert.match(error.message, /\d+ bytes/)
      await broker[Symbol.asyncDispose]()
    }).timeout(60_000)
  })
})
