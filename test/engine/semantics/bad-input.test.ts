import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { openEmbedded } from '../../../src/connectors/broker/broker.ts'
import {
  type AppOptions,
  count,
  DhaaraError,
  embeddedBroker,
  type Serde,
  serdes,
  StreamsApp,
  StreamsBuilder,
  type Topology,
} from '../../../src/index.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'
import { temporaryDirectories } from '../../connectors/embedded/backends.ts'

type Broker = ReturnType<typeof embeddedBroker>
interface Raw {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly timestamp: number
}

const utf8 = (text: string): Buffer => Buffer.from(text)
const order = z.object({ total: z.number() })

/** `orders` (JSON by a schema) -> totals by key, and each order as it came. */
function orders(source: object = {}): Topology {
  const builder = new StreamsBuilder()
  const stream = builder.stream('orders', { key: serdes.string(), value: serdes.json(order), ...source })
  stream
    .groupByKey()
    .aggregate(
      () => 0,
      (sum, { total }) => sum + total,
    )
    .toStream()
    .to('totals', { key: ('key' in source ? source.key : serdes.string()) as never, value: serdes.json() })
  return builder.build()
}

const bytes: Serde<Uint8Array> = serdes.bytes()

async function fill(broker: Broker, records: readonly Raw[], topic = 'orders'): Promise<void> {
  await using producer = broker.producer(topic, { key: bytes, value: bytes })
  for (const record of records) await producer.send(record)
}

async function run(broker: Broker, topology: Topology, options: Partial<AppOptions> = {}) {
  const app = new StreamsApp({ applicationId: 'bad', topology, broker, ...options } as AppOptions & {
    topology: Topology
  })
  await app.start()
  app.endInputs()
  const summary = await app.completed
  return { summary, metrics: app.metrics() }
}

async function failure(of: Promise<unknown>): Promise<DhaaraError> {
  try {
    await of
  } catch (error) {
    assert.ok(error instanceof DhaaraError, String(error))
    return error
  }
  return assert.fail('nothing was refused')
}

async function all(broker: Broker, topic: string) {
  const lease = await openEmbedded(broker)
  const found: { key: string | null; value: string | null; headers: Record<string, string> }[] = []
  for (let p = 0; p < (lease.log.topic(topic)?.partitions ?? 0); p++) {
    for (let batch = lease.log.fetch(topic, p, 0); batch; batch = lease.log.fetch(topic, p, batch.nextOffset))
      for (let i = 0; i < batch.count; i++) {
        const part = (start: number, end: number) => (start < 0 ? null : batch.data.toString('utf8', start, end))
        found.push({
          key: part(batch.keyStart[i] as number, batch.keyEnd[i] as number),
          value: part(batch.valueStart[i] as number, batch.valueEnd[i] as number),
          headers: Object.fromEntries(
            (batch.headers?.[i] ?? []).map(([name, text]) => [name, String(Buffer.from(text))]),
          ),
        })
      }
  }
  await lease.release()
  return found
}

const good = (n: number, timestamp = 1000 + n): Raw => ({ key: utf8('a'), value: utf8(`{"total":${n}}`), timestamp })

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
  const directory = temporaryDirectories()

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
        assert.match((error.cause as Error).stack ?? '', /addOrder .*bad-input\.test\.ts:\d+/)
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

  describe('a directory', () => {
    const filled = async (): Promise<string> => {
      const dir = directory()
      const broker = embeddedBroker({ dir, partitions: 1 })
      await fill(broker, [good(1)])
      await run(broker, orders())
      await broker[Symbol.asyncDispose]()
      return dir
    }
    const starting = async (dir: string, topology = orders()): Promise<DhaaraError> => {
      const broker = embeddedBroker({ dir, partitions: 1 })
      const error = await failure(run(broker, topology))
      await broker[Symbol.asyncDispose]()
      return error
    }

    it('that is corrupt is refused, with what to do', async () => {
      const dir = await filled()
      writeFileSync(join(dir, 'db', 'CURRENT'), 'nonsense')
      const error = await starting(dir)
      assert.equal(error.code, 'DHAARA_STATE_CORRUPT')
      assert.match(error.message, /Restore it|remove it/)
    })

    it('that is half-written is refused, with what to do', async () => {
      const dir = await filled()
      const tables = readdirSync(join(dir, 'db')).filter((name) => name.startsWith('MANIFEST'))
      for (const name of tables)
        writeFileSync(join(dir, 'db', name), readFileSync(join(dir, 'db', name)).subarray(0, 20))
      const error = await starting(dir)
      assert.equal(error.code, 'DHAARA_STATE_CORRUPT')
      assert.match(error.message, /Restore it|remove it/)
    })

    it('of a newer version is refused, and says which', async () => {
      const dir = await filled()
      const path = join(dir, 'dhaara.json')
      const file = JSON.parse(readFileSync(path, 'utf8')) as { format: number }
      writeFileSync(path, JSON.stringify({ ...file, format: 99 }))
      const error = await starting(dir)
      assert.equal(error.code, 'DHAARA_STATE_VERSION')
      assert.match(error.message, /format 99.*reads \d+/)
    })

    it('of another topology is refused, with the difference and the ways out', async () => {
      const dir = await filled()
      const builder = new StreamsBuilder()
      builder
        .stream('orders', { key: serdes.string(), value: serdes.json(order) })
        .groupByKey()
        .aggregate(count(), { store: 'other' })
      const error = await starting(dir, builder.build())
      assert.equal(error.code, 'DHAARA_STATE_INCOMPATIBLE')
      assert.match(error.message, /store 'orders-aggregate-1'.* is gone.*applicationId.*dhaara reset/)
    })

    it('that another process holds is refused, with whose it is; when that has gone nothing is lost', async () => {
      const dir = await filled()
      const script = fileURLToPath(new URL('../../connectors/embedded/children/hold.ts', import.meta.url))
      const holder = spawn(process.execPath, [script, dir], { stdio: ['pipe', 'pipe', 'inherit'] })
      const gone = once(holder, 'exit')
      try {
        await once(holder.stdout, 'data')
        const error = await starting(dir)
        assert.equal(error.code, 'DHAARA_STATE_LOCKED')
        assert.match(error.message, new RegExp(`held by process ${holder.pid}, since`))
      } finally {
        holder.stdin.end()
        await gone
      }
      const broker = embeddedBroker({ dir, partitions: 1 })
      await fill(broker, [good(2)])
      assert.equal((await run(broker, orders())).summary.recordsIn, 1)
      await broker[Symbol.asyncDispose]()
    })

    it('on a disk that is full stops the app; with room again it goes on, and nothing is lost', async function () {
      const dir = directory()
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', dir], { stdio: 'ignore' })
      } catch {
        // nobody may mount here
        return this.skip()
      }
      try {
        const records = Array.from({ length: 60 }, (_, n) => ({ ...good(n), key: utf8(`k${n}`) }))
        const broker = embeddedBroker({ dir, partitions: 1 })
        await fill(broker, records)
        const builder = new StreamsBuilder()
        builder
          .stream('orders', { key: serdes.string(), value: serdes.json(order) })
          .mapValues(({ total }) => `${total}`.padEnd(1 << 20))
          .to('totals', { key: serdes.string(), value: serdes.string() })
        const topology = builder.build()
        const error = await failure(run(broker, topology, { checkpointInterval: 0 }))
        assert.equal(error.code, 'DHAARA_DISK_FULL')
        assert.equal(error.retryable, true)
        assert.match(error.message, new RegExp(`No room.*${dir}.*Free some space`))
        await broker[Symbol.asyncDispose]()
        execFileSync('mount', ['-o', 'remount,size=400m', dir])
        const again = embeddedBroker({ dir, partitions: 1 })
        await run(again, topology)
        assert.deepEqual(
          (await all(again, 'totals')).map(({ value }) => Number(value)),
          records.map((_, n) => n),
        )
        await again[Symbol.asyncDispose]()
      } finally {
        execFileSync('umount', ['-l', dir])
      }
    }).timeout(60_000)
  })
})
