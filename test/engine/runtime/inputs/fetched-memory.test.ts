import assert from 'node:assert/strict'
import { BuiltInSerde } from '../../../../src/dsl/serdes/fast.ts'
import {
  joinWindows,
  type KStream,
  type RawRecord,
  type Serde,
  serdes,
  StreamsBuilder,
  untilTimeLimit,
} from '../../../../src/index.ts'
import { TopologyTestDriver } from '../../../../src/testing/index.ts'

type Bytes = Serde<Uint8Array>
type Stream = KStream<string | null, Uint8Array>

/** A user's serde: what it gives is the very memory that it was handed. */
const views = (): Bytes => serdes.from({ serialize: (value: Uint8Array) => value, deserialize: (bytes) => bytes })

/** One of dhaara's own kind that does the same, and does not say so. */
class Lying extends BuiltInSerde<Uint8Array> {
  readonly ordered = false
  serialize(value: Uint8Array): Uint8Array {
    return value
  }
  read(buf: Buffer, start: number, end: number): Uint8Array {
    return buf.subarray(start, end)
  }
}

class Honest extends Lying {
  override readonly keepsViews = true
}

/** What a user's function has kept of all records, looked at when all of them are processed. */
function kept(value: Bytes | undefined, build: (stream: Stream, keep: (bytes: Uint8Array) => void) => void): string[] {
  const found: Uint8Array[] = []
  const builder = new StreamsBuilder()
  const key = serdes.string()
  build(
    (value === undefined ? builder.stream('in', { key } as never) : builder.stream('in', { key, value })) as Stream,
    (bytes) => found.push(bytes),
  )
  using driver = new TopologyTestDriver(builder.build())
  for (let i = 0; i < 20; i++) driver.input('in').send(Buffer.from(`v${i}`), { key: `k${i % 3}`, timestamp: i })
  return found.map((bytes) => Buffer.from(bytes).toString())
}

const sent = Array.from({ length: 20 }, (_, i) => `v${i}`)

describe('memory of what was fetched', () => {
  it('is written over once its records are processed, which shows what looks there still', () => {
    const found = kept(new Lying(), (stream, keep) => stream.forEach((value) => keep(value)))
    assert.ok(found.slice(0, -1).every((text) => !sent.includes(text)))
  })

  for (const [name, serde] of [
    ['a serde of the user’s', views()],
    ['bytes', serdes.bytes()],
    ['a serde that says so', new Honest()],
  ] as const) {
    it(`stays where records are views of it, with ${name}`, () => {
      assert.deepEqual(
        kept(serde, (stream, keep) => stream.forEach((value) => keep(value))),
        sent,
      )
    })
  }

  it('stays where keys are views of it, in windowed keys too', () => {
    for (const key of [views(), serdes.windowed(views()) as unknown as Bytes]) {
      const builder = new StreamsBuilder()
      const found: unknown[] = []
      builder.stream('in', { key, value: serdes.string() }).forEach((_, own) => found.push(own))
      using driver = new TopologyTestDriver(builder.build())
      const windowed = (i: number) => ({ key: Buffer.from(`k${i}`), window: { start: i, end: i + 1 } })
      for (let i = 0; i < 10; i++) {
        const own = key instanceof BuiltInSerde ? windowed(i) : Buffer.from(`k${i}`)
        driver.input('in').send('v', { key: own as never, timestamp: i })
      }
      const text = found.map((own) => Buffer.from((own as { key?: Uint8Array }).key ?? (own as Uint8Array)).toString())
      assert.deepEqual(
        text,
        Array.from({ length: 10 }, (_, i) => `k${i}`),
      )
    }
  })

  it('is not that of a record that a policy was given, nor of its dead letter', () => {
    const builder = new StreamsBuilder()
    const records: RawRecord[] = []
    const onInvalid = (_: unknown, record: RawRecord) => {
      records.push(record)
      return 'deadLetter' as const
    }
    builder
      .stream('in', { key: serdes.string(), value: serdes.json<number>(), onInvalid })
      .to('out', { key: serdes.string(), value: serdes.json() })
    using driver = new TopologyTestDriver(builder.build())
    for (let i = 0; i < 10; i++)
      driver.input('in').sendBytes(Buffer.from(i % 2 ? `${i}` : `{${i}`), { key: Buffer.from('k') })
    assert.deepEqual(
      records.map(({ key, value }) => `${Buffer.from(key ?? '')} ${Buffer.from(value ?? '')}`),
      ['k {0', 'k {2', 'k {4', 'k {6', 'k {8'],
    )
    const letters = driver.output<Uint8Array, Uint8Array>('dead-letters').readAll()
    assert.deepEqual(
      letters.map(({ value }) => Buffer.from(value ?? '').toString()),
      ['{0', '{2', '{4', '{6', '{8'],
    )
  })

  it('stays for headers that are looked at later', () => {
    const builder = new StreamsBuilder()
    const headers: unknown[] = []
    builder
      .stream('in', { key: serdes.string(), value: serdes.string() })
      .forEach((_value, _key, record) => headers.push(record.copy().headers))
    using driver = new TopologyTestDriver(builder.build())
    for (let i = 0; i < 10; i++) driver.input('in').send('v', { key: 'k', headers: { trace: `t${i}` } })
    assert.deepEqual(
      headers.map((one) => (one as { text(name: string): string }).text('trace')),
      Array.from({ length: 10 }, (_, i) => `t${i}`),
    )
  })

  it('is done with where values wait for time, and for another side', () => {
    const builder = new StreamsBuilder()
    const json = { key: serdes.string(), value: serdes.json<{ n: number }>() }
    const left = builder.stream('in', json)
    left
      .toTable()
      .suppress(untilTimeLimit(50, { maxRecords: 1000, whenFull: 'emitEarly' }))
      .toStream()
      .to('held', json)
    left
      .join(builder.stream('other', json), (a, b) => ({ n: a.n + b.n }), joinWindows.of(10).noGrace())
      .to('joined', json)
    left.filter(({ n }) => n % 2 === 0).to('as-read', json)
    using driver = new TopologyTestDriver(builder.build())
    for (let i = 0; i < 10; i++) driver.input('in').send({ n: i }, { key: `k${i}`, timestamp: i })
    for (let i = 0; i < 10; i++) driver.input('other').send({ n: 100 }, { key: `k${i}`, timestamp: i })
    driver.input('in').send({ n: 50 }, { key: 'last', timestamp: 1000 })
    driver.input('other').send({ n: 50 }, { key: 'none', timestamp: 1000 })
    const numbers = (topic: string) =>
      driver
        .output(topic)
        .readAll()
        .map(({ value }) => (value as { n: number }).n)
    const ten = Array.from({ length: 10 }, (_, i) => i)
    assert.deepEqual(numbers('held').slice(0, 10), ten)
    assert.deepEqual(
      numbers('joined'),
      ten.map((n) => n + 100),
    )
    assert.deepEqual(
      numbers('as-read'),
      [...ten, 50].filter((n) => n % 2 === 0),
    )
  })
})
