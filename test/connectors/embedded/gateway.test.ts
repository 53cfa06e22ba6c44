import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { type EmbeddedBroker, type EmbeddedLease, openEmbedded } from '../../../src/connectors/broker/index.ts'
import { embeddedBroker, readOwner, type WireBatch } from '../../../src/connectors/embedded/index.ts'
import { socketPath } from '../../../src/connectors/embedded/gateway.ts'
import { GatewayClient } from '../../../src/connectors/embedded/gateway-client.ts'
import { encodeMessage, type Message, MessageReader } from '../../../src/connectors/embedded/wire.ts'
import { DhaaraError } from '../../../src/errors/index.ts'
import { frameOfValues } from '../broker/records.ts'
import { temporaryDirectories } from './backends.ts'
import { take } from './text.ts'

const bytes = (text: string): Buffer => Buffer.from(text)

describe('the gateway', () => {
  const directory = temporaryDirectories()
  let broker: EmbeddedBroker
  let lease: EmbeddedLease
  let client: GatewayClient

  beforeEach(async () => {
    const dir = directory()
    broker = embeddedBroker({ dir, partitions: 2 })
    lease = await openEmbedded(broker)
    client = await GatewayClient.connect(readOwner(dir)!.socket!)
  })
  afterEach(async () => {
    await client.close()
    await broker[Symbol.asyncDispose]()
  })

  const produce = (topic: string, ...values: string[]): Promise<unknown> =>
    client.call('produce', {
      topic,
      records: values.map((value) => ({ key: null, value: bytes(value), partition: 0 })),
    })
  const valuesOf = (batches: readonly unknown[]): string[] =>
    (batches as WireBatch[]).flatMap(({ values }) => values.map((value) => Buffer.from(value!).toString()))
  const collect = async (items: AsyncIterable<unknown>): Promise<unknown[]> => {
    const all: unknown[] = []
    for await (const item of items) all.push(item)
    return all
  }

  it('tells of topics', async () => {
    assert.deepEqual(await client.call('topics'), [])
    lease.log.createTopic('b', 1)
    await produce('a', 'x', 'y')
    assert.deepEqual(await client.call('topics'), [
      {
        name: 'a',
        partitions: [
          { start: 0, end: 2 },
          { start: 0, end: 0 },
        ],
      },
      { name: 'b', partitions: [{ start: 0, end: 0 }] },
    ])
  })

  it('takes records whole and gives them back', async () => {
    const records = [
      { key: bytes('k'), value: bytes('v'), timestamp: 5, partition: 1, headers: [['h', bytes('x')]] },
      { key: null, value: null, timestamp: 6, partition: 1 },
    ]
    assert.deepEqual(await client.call('produce', { topic: 't', records }), { records: 2 })
    const [batch, ...others] = (await collect(client.stream('consume', { topic: 't' }))) as WireBatch[]
    assert.deepEqual(others, [])
    assert.deepEqual(
      [batch!.partition, batch!.offsets, batch!.timestamps, batch!.keys.map(String), batch!.values.map(String)],
      [1, [0, 1], [5, 6], ['k', 'null'], ['v', 'null']],
    )
    assert.equal(Buffer.from(batch!.headers![0]![0]![1]).toString(), 'x')
  })

  it('commits all records of a request or none', async () => {
    const records = [
      { key: null, value: bytes('good'), partition: 0 },
      { key: null, value: bytes('bad'), partition: 9 },
    ]
    await assert.rejects(client.call('produce', { topic: 't', records }), { code: 'DHAARA_OPTION' })
    assert.equal(lease.log.endOffset('t', 0), 0)
    await produce('t', 'after')
    assert.equal(lease.log.endOffset('t', 0), 1)
  })

  it('streams from the beginning, the end or an offset, up to the end at the time of asking', async () => {
    await produce('t', 'a', 'b', 'c')
    assert.deepEqual(valuesOf(await collect(client.stream('consume', { topic: 't' }))), ['a', 'b', 'c'])
    assert.deepEqual(valuesOf(await collect(client.stream('consume', { topic: 't', from: 1 }))), ['b', 'c'])
    assert.deepEqual(await collect(client.stream('consume', { topic: 't', from: 'end' })), [])
    assert.deepEqual(await collect(client.stream('consume', { topic: 't', partitions: [1] })), [])
    await assert.rejects(collect(client.stream('consume', { topic: 'u' })), { code: 'DHAARA_TOPIC_UNKNOWN' })
  })

  it('follows a topic until it is stopped', async () => {
    await produce('t', 'a')
    const controller = new AbortController()
    const stream = client.stream('consume', { topic: 't', follow: true }, controller.signal)
    assert.deepEqual(valuesOf(await take(stream, 1)), ['a'])
    const next = stream.next()
    await produce('t', 'b')
    assert.deepEqual(valuesOf([(await next).value]), ['b'])
    const last = stream.next()
    controller.abort()
    assert.deepEqual(await last, { done: true, value: undefined })
    assert.equal((await (client.call('topics') as Promise<unknown[]>)).length, 1)
  })

  it('sends no further ahead than the reader has room for, and other calls pass', async () => {
    let made = 0
    let stopped = false
    lease.handle('count', async function* () {
      try {
        for (;;) yield made++
      } finally {
        stopped = true
      }
    })
    const stream = client.stream('count')
    assert.deepEqual(await take(stream, 10), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    await client.call('topics')
    assert.ok(made <= 16, `${made} made`)
    await stream.return()
    await client.call('topics')
    assert.equal(stopped, true)
  })

  it('carries the answers and errors of other requests', async () => {
    const handled = lease.handle('query', async (params) => {
      if (params === 'bad') throw new DhaaraError('DHAARA_STORE_UNKNOWN', 'no such store')
      if (params === 'worse') throw new TypeError('oops')
      return { asked: params }
    })
    assert.throws(() => lease.handle('query', () => 0), { code: 'DHAARA_INTERNAL' })
    const answers = await Promise.all([1, 'two', [3], undefined].map((params) => client.call('query', params)))
    assert.deepEqual(answers, [{ asked: 1 }, { asked: 'two' }, { asked: [3] }, { asked: undefined }])
    await assert.rejects(client.call('query', 'bad'), { code: 'DHAARA_STORE_UNKNOWN', message: 'no such store' })
    await assert.rejects(client.call('query', 'worse'), { code: 'DHAARA_INTERNAL', message: 'oops' })
    handled[Symbol.dispose]()
    await assert.rejects(client.call('query'), { code: 'DHAARA_REQUEST_UNKNOWN', message: /topics, produce, consume/ })
  })

  it('moves large messages', async () => {
    const value = Buffer.alloc(5_000_000, 'x')
    await client.call('produce', { topic: 't', records: [{ key: null, value, partition: 0 }] })
    const [batch] = (await collect(client.stream('consume', { topic: 't' }))) as WireBatch[]
    assert.equal(value.equals(batch!.values[0]!), true)
  })

  it('stops what a client that has gone had asked for', async () => {
    const stopped = Promise.withResolvers<void>()
    lease.handle('wait', (_, signal) => {
      signal.addEventListener('abort', () => stopped.resolve())
      return stopped.promise
    })
    const waiting = client.call('wait')
    const refused = assert.rejects(waiting, { code: 'DHAARA_OWNER_GONE' })
    await client.call('topics')
    await client.close()
    await stopped.promise
    await refused
    await assert.rejects(client.call('topics'), { code: 'DHAARA_OWNER_GONE' })
  })

  it('tells its clients when it closes', async () => {
    const following = assert.rejects(take(client.stream('consume', { topic: 't', follow: true }), 1), {
      code: 'DHAARA_OWNER_GONE',
    })
    lease.log.createTopic('t', 1)
    await client.call('topics')
    await lease.release()
    await following
  })

  it('hangs up on who speaks something else', async () => {
    const socket = connect(readOwner(lease.path)!.socket!)
    socket.write('GET / HTTP/1.1\r\n\r\n')
    await once(socket, 'close')
    assert.deepEqual(await client.call('topics'), [])
  })

  it('listens in the temporary directory where the path would be too long', async () => {
    const dir = join(directory(), 'x'.repeat(120))
    assert.equal(socketPath(dir).startsWith(join(tmpdir(), 'dhaara-')), true)
    const own = embeddedBroker({ dir })
    const { release } = await openEmbedded(own)
    await using there = await GatewayClient.connect(readOwner(dir)!.socket!)
    assert.deepEqual(await there.call('topics'), [])
    await there.close()
    await release()
  })

  it('can read what the log holds while it is written', async () => {
    lease.log.createTopic('t', 1)
    const stream = client.stream('consume', { topic: 't', follow: true })
    const reading = take(stream, 3)
    for (const value of ['a', 'b', 'c']) {
      const transaction = lease.log.begin(lease.backend.batch())
      transaction.append('t', 0, frameOfValues(value))
      transaction.commit()
      await client.call('topics')
    }
    assert.deepEqual(valuesOf(await reading), ['a', 'b', 'c'])
    await stream.return()
  })
})

describe('messages', () => {
  it('survive any cut of the bytes', () => {
    // msgpackr renames this one key, so that no message can change a prototype.
    const key = fc.string().filter((name) => name !== '__proto__')
    const params = fc.anything({ key, values: [fc.string(), fc.integer(), fc.constant(null)] })
    const message = fc.record({ id: fc.nat(), params })
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), fc.array(fc.nat(100), { minLength: 1 }), (messages, cuts) => {
        const sent = messages.map((m) => JSON.parse(JSON.stringify(m)) as Message)
        let all = Buffer.concat(sent.map(encodeMessage))
        const received: Message[] = []
        const reader = new MessageReader()
        for (let i = 0; all.length > 0; i++) {
          const cut = Math.max(1, cuts[i % cuts.length]!)
          reader.push(all.subarray(0, cut), (m) => received.push(m))
          all = all.subarray(cut)
        }
        assert.deepEqual(received, sent)
      }),
    )
  })
})
