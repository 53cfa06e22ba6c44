import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { openEmbedded } from '../../../../src/connectors/broker/broker.ts'
import { embeddedBroker, serdes, StreamsApp, StreamsBuilder, windows } from '../../../../src/index.ts'
import { moduleUrl, read, runToEnd, type Sent, send } from '../run.ts'

type Broker = ReturnType<typeof embeddedBroker>
const text = { key: serdes.string(), value: serdes.string() }

async function letters(broker: Broker, topic = 'test-dead-letters') {
  await using lease = await openEmbedded(broker).then((opened) => ({
    ...opened,
    [Symbol.asyncDispose]: () => opened.release(),
  }))
  const { log } = lease
  const found: { key: string | null; value: string | null; headers: Record<string, string> }[] = []
  for (let batch = log.fetch(topic, 0, 0); batch !== undefined; batch = log.fetch(topic, 0, batch.nextOffset)) {
    const { data, keyStart, keyEnd, valueStart, valueEnd } = batch
    for (let i = 0; i < batch.count; i++) {
      const part = (start: Int32Array, end: Int32Array) =>
        (start[i] as number) < 0 ? null : data.toString('utf8', start[i], end[i])
      found.push({
        key: part(keyStart, keyEnd),
        value: part(valueStart, valueEnd),
        headers: Object.fromEntries((batch.headers?.[i] ?? []).map(([name, bytes]) => [name, `${Buffer.from(bytes)}`])),
      })
    }
  }
  return found
}

describe('dead letters', () => {
  for (const workers of [0, 2]) {
    it(`behind a repartition are the source records, byte by byte, and say where those lie: ${workers} workers`, async () => {
      const broker = embeddedBroker({ partitions: 3 })
      const orders: readonly Sent[] = Array.from({ length: 400 }, (_, i) => ({
        key: `customer-${i % 17}`,
        value: { city: ['Pune', 'Delhi', 'Kochi', 'Surat'][i % 4], amount: i % 20, i },
        timestamp: 1000 + i,
      }))
      await send(broker, 'orders', orders)
      await runToEnd({
        topology: moduleUrl('picky'),
        workers,
        broker,
        checkpointInterval: '2ms',
        errors: { user: 'deadLetter' },
      })
      const found = await letters(broker)
      const bad = orders.filter((_, i) => i % 20 === 13)
      assert.deepEqual(
        found.map(({ value }) => value).toSorted(),
        bad.map(({ value }) => JSON.stringify(value)).toSorted(),
      )
      const { log, release } = await openEmbedded(broker)
      for (const { key, value, headers } of found) {
        const { 'dhaara-topic': topic, 'dhaara-partition': partition, 'dhaara-offset': offset } = headers
        assert.equal(topic, 'orders')
        const batch = log.fetch('orders', Number(partition), Number(offset), 1)
        const i = batch?.offsets.indexOf(Number(offset)) ?? -1
        assert.equal(batch?.data.toString('utf8', batch.valueStart[i], batch.valueEnd[i]), value)
        assert.equal(batch?.data.toString('utf8', batch.keyStart[i], batch.keyEnd[i]), key)
        assert.match(
          headers['dhaara-error-message'] ?? '',
          new RegExp(
            `threw at orders\\[${partition}\\] offset ${offset}, by way of \\S*repartition\\S*\\[\\d\\]: RangeError: thirteen`,
          ),
        )
        assert.match(headers['dhaara-error-stack'] ?? '', /picky\.ts:\d+/)
      }
      await release()
      assert.equal((await read(broker, 'amounts')).length, orders.length - bad.length)
      await broker[Symbol.asyncDispose]()
    }).timeout(60_000)
  }

  it('of what a window has made hold the result that is lost, since no record is', async () => {
    const broker = embeddedBroker({ partitions: 1 })
    await send(broker, 'in', [
      { key: 'a', value: 'x', timestamp: 1 },
      { key: 'a', value: 'y', timestamp: 2 },
      { key: 'b', value: 'z', timestamp: 3 },
    ])
    const builder = new StreamsBuilder()
    builder
      .stream('in', { key: serdes.string(), value: serdes.json<string>() })
      .groupByKey()
      .windowedBy(windows.tumbling(10).noGrace())
      .emit('close')
      .aggregate(
        () => ({ n: 0n }),
        (held) => ({ n: held.n + 1n }),
      )
      .toStream()
      .map((held, { key }) => {
        if (held.n === 2n) throw new RangeError('two')
        return [key, `${held.n}`] as const
      })
      .to('out', text)
    await runToEnd({ topology: builder.build(), broker, errors: { user: 'deadLetter' } })
    const [letter, ...others] = await letters(broker)
    assert.equal(others.length, 0)
    assert.deepEqual(JSON.parse(letter?.value ?? ''), { n: 2 })
    assert.deepEqual(JSON.parse(letter?.key ?? ''), { key: 'a', window: { start: 0, end: 10 } })
    assert.match(letter?.headers['dhaara-error-message'] ?? '', /outside of any record \(a timer or a closing window\)/)
    assert.equal(letter?.headers['dhaara-offset'], '-1')
    await broker[Symbol.asyncDispose]()
  })

  it('behind an asynchronous step name the record that was asked about, also when it is asked anew after a crash', async () => {
    const broker = embeddedBroker({ partitions: 1 })
    await send(broker, 'in', [
      { key: 'a', value: 'good', timestamp: 1 },
      { key: 'b', value: 'bad', timestamp: 2 },
    ])
    let asked = 0
    let answer = false
    const topology = () => {
      const builder = new StreamsBuilder()
      builder
        .stream('in', { key: serdes.string(), value: serdes.json<string>() })
        .selectKey((v) => v)
        .repartition({ name: 'by-value' })
        .mapAsync(
          async (v, _, { signal }) => {
            asked++
            while (!answer) await pause(1, undefined, { signal })
            return v
          },
          { concurrency: 4 },
        )
        .mapValues((v) => {
          if (v === 'bad') throw new RangeError('bad answer')
          return v
        })
        .to('out', text as never)
      return builder.build()
    }
    const options = { applicationId: 'test', broker, errors: { user: 'deadLetter' } as const, checkpointInterval: 1 }
    const first = new StreamsApp({ ...options, topology: topology() })
    const committed = new Promise<void>((resolve) => {
      first.on('checkpoint', () => asked === 2 && resolve())
    })
    await first.start()
    await committed
    await first.close()
    answer = true
    await runToEnd({ topology: topology(), broker, errors: options.errors })
    assert.equal(asked, 4)
    const [letter, ...others] = await letters(broker)
    assert.equal(others.length, 0)
    assert.equal(letter?.key, 'b')
    assert.equal(letter?.value, '"bad"')
    assert.match(
      letter?.headers['dhaara-error-message'] ?? '',
      / threw at in\[0\] offset 1, by way of \S+\[0\]: RangeError/,
    )
    await broker[Symbol.asyncDispose]()
  }).timeout(60_000)
})
