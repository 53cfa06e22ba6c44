import assert from 'node:assert/strict'
import fc from 'fast-check'
import { encodeIndexes, readIndexes } from '../../../src/connectors/registry/wire.ts'
import { embeddedBroker, type Serde, schemaRegistry, serdes, StreamsApp, StreamsBuilder } from '../../../src/index.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'
import { RegistryServer } from './server.ts'
import { vectors, vectorServer } from './vectors.ts'

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
const code = (wanted: string) => (error: unknown) => {
  assert.equal((error as { code?: string }).code, wanted, String(error))
  return true
}
const orderV1 = { type: 'record', name: 'Order', fields: [{ name: 'id', type: 'string' }] }
const orderV2 = { ...orderV1, fields: [...orderV1.fields, { name: 'total', type: 'double', default: 1.5 }] }
const orderBad = { ...orderV1, fields: [...orderV1.fields, { name: 'total', type: 'double' }] }

describe('a schema registry', () => {
  it('gives what Confluent’s client wrote, and its bytes for the same values', async () => {
    // @bufbuild leaves out what is at its default, as dhaara does not
    await using server = await vectorServer()
    const registry = schemaRegistry({ url: server.url })
    for (const { kind, topic, message, value, hex } of vectors.records) {
      const serde = registry[kind]({
        defaults: false,
        ...(message === undefined ? {} : { message }),
        schemas: 'latest',
      })
      const bytes = Buffer.from(hex, 'hex')
      const expected = message === 'ride.First' && (value as { name: string }).name === '' ? {} : value
      assert.deepEqual(plain(serde.deserialize(bytes, topic)), expected)
      assert.equal(Buffer.from(serde.serialize(value, topic)).toString('hex'), hex)
    }
  })

  it('reads with the schema that is given what was written with another', async () => {
    await using server = await RegistryServer.start()
    const registry = schemaRegistry({ url: server.url })
    const bytes = registry.avro({ schema: orderV1 }).serialize({ id: 'a' }, 'orders')
    assert.deepEqual(plain(registry.avro({ schema: orderV2 }).deserialize(bytes, 'orders')), { id: 'a', total: 1.5 })
    assert.throws(() => registry.avro({ schema: orderBad }).deserialize(bytes, 'orders'), code('DHAARA_SCHEMA'))
  })

  it('keeps 64-bit integers where that is asked for', async () => {
    await using server = await RegistryServer.start()
    const registry = schemaRegistry({ url: server.url })
    const big = 2n ** 62n + 1n
    const avro = registry.avro<bigint>({ schema: '"long"', longs: 'bigint' })
    for (const value of [big, -big, 0n, -1n]) assert.equal(avro.deserialize(avro.serialize(value, 'n'), 'n'), value)
    const proto = registry.protobuf<{ n: bigint }>({
      schema: 'syntax="proto3"; message N { int64 n = 1; }',
      longs: 'bigint',
    })
    assert.equal(proto.deserialize(proto.serialize({ n: big }, 'm'), 'm').n, big)
    assert.throws(() => registry.avro().deserialize(avro.serialize(big, 'n'), 'n'), code('DHAARA_DESERIALIZE'))
  })

  it('finds messages of files that others import, and types that come with Protocol Buffers', async () => {
    await using server = await RegistryServer.start()
    await server.register('place', {
      schema: 'syntax="proto3"; package geo; message Place { string city = 1; }',
      schemaType: 'PROTOBUF',
    })
    const registry = schemaRegistry({ url: server.url })
    const serde = registry.protobuf({
      schema: `syntax="proto3"; package geo; import "place.proto"; import "google/protobuf/timestamp.proto"; import "google/protobuf/wrappers.proto";
        message Trip { Place from = 1; google.protobuf.Timestamp at = 2; google.protobuf.Int32Value seats = 3; map<string, int32> m = 4; }`,
      references: [{ name: 'place.proto', subject: 'place', version: 1 }],
    })
    const trip = { from: { city: 'Pune' }, at: { seconds: 5, nanos: 7 }, seats: { value: 3 }, m: { a: 1 } }
    const bytes = serde.serialize(trip, 'trips')
    assert.equal(bytes[5], 0) // Trip is the first message of its own file
    assert.deepEqual(plain(serde.deserialize(bytes, 'trips')), trip)
    assert.deepEqual(plain(schemaRegistry({ url: server.url }).protobuf().deserialize(bytes, 'trips')), trip)
  })

  it('names subjects as it is told', async () => {
    await using server = await RegistryServer.start()
    const registry = schemaRegistry({ url: server.url })
    const named = { ...orderV1, namespace: 'shop' }
    registry.avro({ schema: named, subject: 'record' }).serialize({ id: '1' }, 'orders')
    registry.avro({ schema: named, subject: 'topic-record' }).serialize({ id: '1' }, 'orders')
    registry.avro({ schema: named, of: 'key' }).serialize({ id: '1' }, 'orders')
    registry
      .avro({ schema: named, subject: (topic, record, of) => `${of}/${record}/${topic}` })
      .serialize({ id: '1' }, 'orders')
    assert.deepEqual((await server.tell()).subjects, [
      'shop.Order',
      'orders-shop.Order',
      'orders-key',
      'value/shop.Order/orders',
    ])
  })

  it('refuses what is wrong with a code', async () => {
    await using server = await RegistryServer.start()
    const registry = schemaRegistry({ url: server.url, attempts: 1 })
    const v1 = registry.avro({ schema: orderV1 })
    const bytes = Buffer.from(v1.serialize({ id: 'a' }, 'orders'))
    assert.throws(() => v1.serialize({ id: 5 }, 'orders'), code('DHAARA_SCHEMA'))
    assert.throws(
      () => registry.avro({ schema: orderBad }).serialize({ id: 'a', total: 1 }, 'orders'),
      code('DHAARA_SCHEMA_INCOMPATIBLE'),
    )
    assert.throws(
      () => registry.avro({ schema: orderV2, schemas: 'lookup' }).serialize({ id: 'a', total: 1 }, 'orders'),
      code('DHAARA_SCHEMA_SUBJECT'),
    )
    assert.throws(
      () => registry.avro({ schema: orderV1, schemas: 'lookup' }).serialize({ id: 'a' }, 'none'),
      code('DHAARA_SCHEMA_SUBJECT'),
    )
    assert.throws(
      () => registry.avro({ schemas: 'latest' }).serialize({ id: 'a' }, 'none'),
      code('DHAARA_SCHEMA_SUBJECT'),
    )
    assert.throws(() => registry.avro().serialize({ id: 'a' }, 'none'), code('DHAARA_OPTION'))
    assert.throws(() => registry.json().deserialize(bytes, 'orders'), code('DHAARA_DESERIALIZE'))
    assert.throws(() => v1.deserialize(Buffer.from('{"id":"a"}'), 'orders'), code('DHAARA_DESERIALIZE'))
    assert.throws(() => v1.deserialize(bytes.subarray(0, bytes.length - 1), 'orders'), code('DHAARA_DESERIALIZE'))
    assert.throws(() => v1.deserialize(Buffer.concat([bytes, Buffer.of(0)]), 'orders'), code('DHAARA_DESERIALIZE'))
    assert.throws(() => v1.deserialize(Buffer.from('000000ffff00', 'hex'), 'orders'), code('DHAARA_SCHEMA_ID'))
    const json = registry.json({ schema: { type: 'object', required: ['page'] } })
    assert.throws(() => json.serialize({}, 'visits'), code('DHAARA_SCHEMA'))
    assert.throws(() => schemaRegistry({ url: 'localhost:8081' }), code('DHAARA_OPTION'))
    const proto = registry.protobuf({ schema: 'syntax="proto3"; message A { string a = 1; }', message: 'B' })
    assert.throws(() => proto.serialize({}, 'p'), code('DHAARA_OPTION'))
  })

  it('is asked with credentials, and says so where they are refused', async () => {
    await using server = await RegistryServer.start({ credentials: 'app:secret' })
    const write = (auth: { username: string; password: string }) =>
      schemaRegistry({ url: server.url, auth }).avro({ schema: orderV1 }).serialize({ id: 'a' }, 'orders')
    assert.equal(write({ username: 'app', password: 'secret' }).length, 7)
    assert.throws(() => write({ username: 'app', password: 'wrong' }), code('DHAARA_REGISTRY_AUTH'))
  })

  it('is asked again where it fails, and at its next address', async () => {
    await using server = await RegistryServer.start()
    await server.fail(2)
    const serde = schemaRegistry({ url: ['http://127.0.0.1:9', server.url] }).avro({ schema: orderV1 })
    assert.equal(serde.serialize({ id: 'a' }, 'orders').length, 7)
    assert.throws(
      () =>
        schemaRegistry({ url: 'http://127.0.0.1:9', attempts: 2 })
          .avro({ schema: orderV1 })
          .serialize({ id: 'a' }, 'o'),
      code('DHAARA_REGISTRY'),
    )
  })

  it('finds any message in any file', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(70_000), { minLength: 1, maxLength: 6 }), (indexes) => {
        const bytes = Buffer.concat([encodeIndexes(indexes), Buffer.from('rest')])
        assert.deepEqual(readIndexes(bytes, 0, bytes.length, 't'), [indexes, bytes.length - 4])
      }),
    )
    assert.throws(() => readIndexes(Buffer.of(4, 2), 0, 2, 't'), code('DHAARA_DESERIALIZE'))
  })
})

describe('an app with a schema registry', () => {
  interface Order {
    readonly id: string
    readonly total: number
  }
  const topology = (value: Serde<Order>, out: Serde<Order>, onInvalid: 'fail' | 'deadLetter' = 'fail') => {
    const builder = new StreamsBuilder()
    const key = serdes.string()
    builder
      .stream('orders', { key, value, onInvalid })
      .toTable({ store: 'last' })
      .toStream()
      .to('totals', { key, value: out })
    return builder.build()
  }

  it('asks once for each schema, before it reads and before it writes', async () => {
    await using server = await RegistryServer.start()
    const registry = schemaRegistry({ url: server.url })
    const broker = embeddedBroker()
    const key = serdes.string()
    await using v1 = broker.producer('orders', {
      key,
      value: schemaRegistry({ url: server.url }).avro({ schema: orderV1 }),
    })
    for (let i = 0; i < 1000; i++) await v1.send({ key: `k${i % 50}`, value: { id: `v1-${i}` } })
    await using v2 = broker.producer('orders', {
      key,
      value: schemaRegistry({ url: server.url }).avro<Order>({ schema: orderV2 }),
    })
    for (let i = 0; i < 1000; i++) await v2.send({ key: `k${i % 50}`, value: { id: `v2-${i}`, total: i } })
    await server.tell()
    const app = new StreamsApp({
      applicationId: 'registry',
      topology: topology(registry.avro<Order>({ schema: orderV2 }), registry.avro<Order>({ schema: orderV2 })),
      broker,
    })
    await app.start()
    assert.deepEqual((await server.tell()).asked, ['POST /subjects/totals-value/versions'])
    let n = 0
    for await (const { value } of broker.consumer('totals', {
      key,
      value: schemaRegistry({ url: server.url }).avro<Order>(),
    })) {
      if (n < 1000) assert.deepEqual(plain(value), { id: `v1-${n}`, total: 1.5 })
      else assert.deepEqual(plain(value), { id: `v2-${n - 1000}`, total: n - 1000 })
      if (++n === 2000) break
    }
    assert.deepEqual(plain(await app.store('last').get('k7')), { id: 'v2-957', total: 957 })
    await app.close()
    // the consumer has asked for the id of `totals` once, too; nothing of state went there
    const { asked, subjects } = await server.tell()
    assert.deepEqual([...asked].sort(), ['GET /schemas/ids/1', 'GET /schemas/ids/2', 'GET /schemas/ids/2'])
    assert.deepEqual(subjects, ['orders-value', 'totals-value'])
  })

  it('puts what the registry does not know among the dead letters, and stops where the registry does not answer', async () => {
    await using server = await RegistryServer.start()
    const broker = embeddedBroker()
    const key = serdes.string()
    await using bytes = broker.producer('orders', { key, value: serdes.bytes() })
    const good = Buffer.from(
      schemaRegistry({ url: server.url }).avro({ schema: orderV2 }).serialize({ id: 'x', total: 2 }, 'orders'),
    )
    await bytes.send({ key: 'a', value: Buffer.from('0000000abc00', 'hex') })
    await bytes.send({ key: 'b', value: good })
    const registry = schemaRegistry({ url: server.url })
    const app = new StreamsApp({
      applicationId: 'letters',
      topology: topology(registry.avro<Order>(), registry.avro<Order>({ schema: orderV2 }), 'deadLetter'),
      broker,
    })
    await app.start()
    for await (const record of broker.consumer('totals', { key, value: serdes.bytes() })) {
      assert.equal(record.key, 'b')
      break
    }
    for await (const { headers } of broker.consumer('letters-dead-letters', { value: serdes.bytes() })) {
      assert.ok(Object.values(headers).some((text) => String(text).includes('DHAARA_SCHEMA_ID')))
      break
    }
    await app.close()
    const gone = schemaRegistry({ url: 'http://127.0.0.1:9', attempts: 2 })
    const down = new StreamsApp({
      applicationId: 'down',
      topology: topology(gone.avro<Order>(), serdes.json<Order>(), 'deadLetter'),
      broker,
    })
    await down.start()
    await assert.rejects(down.completed, code('DHAARA_REGISTRY'))
    const refused = new StreamsApp({
      applicationId: 'refused',
      topology: topology(serdes.json<Order>(), gone.avro<Order>({ schema: orderV2 })),
      broker,
    })
    await assert.rejects(refused.start(), code('DHAARA_REGISTRY'))
  })

  it('runs in the test driver', async () => {
    await using server = await RegistryServer.start()
    const registry = schemaRegistry({ url: server.url })
    using driver = new TopologyTestDriver(
      topology(registry.avro<Order>({ schema: orderV2 }), registry.avro<Order>({ schema: orderV2 })),
    )
    driver.input('orders').send({ id: 'a', total: 4 }, { key: 'k' })
    assert.deepEqual(
      plain(
        driver
          .output('totals')
          .readAll()
          .map(({ value }) => value),
      ),
      [{ id: 'a', total: 4 }],
    )
  })
})
