import assert from 'node:assert/strict'
import { RemoteLetters } from '../../../../src/engine/remote/letters.ts'
import { type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import { kafkaBroker, serdes, StreamsApp, StreamsBuilder } from '../../../../src/index.ts'
import { dhaara, linesOf } from '../../../cli/dhaara.ts'
import { kafka, unique } from '../broker.ts'
import { readAll } from './read.ts'

describe('dead letters on Kafka', () => {
  const app = unique('letters')
  const [input, output, from] = [`${app}.in`, `${app}.out`, `${app}-dead-letters`]
  let brokers: string
  let log: RemoteLog

  before(async () => {
    brokers = (await kafka()).join(',')
    log = await kafkaBroker({ brokers: brokers.split(',') })[remote]()
    await log.createTopics([input, output].map((name) => ({ name, partitions: 2, configs: {} })))
  })
  after(async () => {
    await log.deleteTopics((await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(app)))
    await log.release()
  })

  it('are listed, shown, replayed once and dropped by the command line', async () => {
    const broker = kafkaBroker({ brokers: brokers.split(',') })
    await using producer = broker.producer<string, string>(input, { key: serdes.string(), value: serdes.string() })
    await producer.send({ key: 'a', value: '1' })
    for (const key of ['b', 'c', 'd']) await producer.send({ key, value: `{${key}` })
    const builder = new StreamsBuilder()
    builder
      .stream(input, { key: serdes.string(), value: serdes.json<number>(), onInvalid: 'deadLetter' })
      .to(output, { key: serdes.string(), value: serdes.json<number>() })
    const running = new StreamsApp({ applicationId: app, topology: builder.build(), broker })
    await running.start()
    running.endInputs()
    await running.completed
    const place = ['--brokers', brokers, '--letters', from]
    const listed = linesOf((await dhaara(['dlq', 'list', ...place, '--json'])).out) as {
      offset: number
      value: string
    }[]
    assert.deepEqual(listed.map(({ value }) => value).sort(), ['{b', '{c', '{d'])
    const [first, second, third] = listed.map(({ offset }) => offset) as [number, number, number]
    assert.match((await dhaara(['dlq', 'show', String(first), ...place])).out, /DHAARA_DESERIALIZE/)
    assert.match((await dhaara(['dlq', 'replay', String(first), ...place])).out, /^1 letter replayed/)
    assert.match((await dhaara(['dlq', 'replay', String(first), ...place])).out, /^0 letters replayed/)
    assert.match((await dhaara(['dlq', 'drop', String(second), ...place])).out, /^1 letter dropped/)
    const unknown = await dhaara(['dlq', 'replay', '99', ...place])
    assert.deepEqual([unknown.code, unknown.out], [2, ''])
    assert.match(unknown.err, /there is no dead letter 99; there are: \d+, \d+, \d+$/m)
    // two at once: each is replayed by one of them
    const one = new RemoteLetters(log)
    const two = new RemoteLetters(log)
    await Promise.allSettled([one.replay(from, { offsets: [third] }), two.replay(from, { offsets: [third] })])
    await one.replay(from, {})
    const values = [...(await readAll(log, input, 0)), ...(await readAll(log, input, 1))]
    assert.equal(values.length, 6)
    assert.deepEqual(
      (await one.list(from, { state: 'all' })).letters.map(({ state }) => state),
      ['replayed', 'dropped', 'replayed'],
    )
  }).timeout(90_000)

  it('are seen over HTTP, beside the records of topics', async () => {
    const broker = kafkaBroker({ brokers: brokers.split(',') })
    const builder = new StreamsBuilder()
    builder
      .stream(input, { key: serdes.string(), value: serdes.json<number>(), onInvalid: 'deadLetter' })
      .to(output, { key: serdes.string(), value: serdes.json<number>() })
    await using running = new StreamsApp({
      applicationId: app,
      topology: builder.build(),
      broker,
      http: { port: 0, admin: true },
    })
    await running.start()
    const get = async (path: string) => (await fetch(new URL(path, running.httpUrl))).json()
    const { letters } = (await get('/api/dead-letters?state=all')) as { letters: { state: string }[] }
    assert.ok(letters.some(({ state }) => state === 'dropped'))
    const { records } = (await get(`/api/topics/${output}/records`)) as { records: { key: string; value: number }[] }
    assert.deepEqual(
      records.map(({ key, value }) => [key, value]),
      [['a', 1]],
    )
    assert.equal((await fetch(new URL('/api/topics/none/records', running.httpUrl))).status, 404)
    const body = JSON.stringify({ code: 'DHAARA_DESERIALIZE' })
    const headers = { 'content-type': 'application/json' }
    const dropped = await fetch(new URL('/api/dead-letters/drop', running.httpUrl), { method: 'POST', headers, body })
    assert.equal(dropped.status, 200)
  }).timeout(60_000)
})
