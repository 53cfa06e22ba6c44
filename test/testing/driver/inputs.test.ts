import assert from 'node:assert/strict'
import { type DhaaraError, serdes, StreamsBuilder } from '../../../src/index.ts'
import { type DriverOptions, TopologyTestDriver } from '../../../src/testing/index.ts'
import { text, coded, echo, values } from './topologies.ts'

describe('TopologyTestDriver', () => {
  describe('inputs', () => {
    it('are processed at once, with key, timestamp, headers', () => {
      using driver = new TopologyTestDriver(echo())
      driver.input('in').send('a', { key: 'k', timestamp: 5, headers: { trace: '7', raw: Buffer.from('x') } })
      assert.deepEqual(driver.output('out').readAll(), [
        { key: 'k', value: 'a', timestamp: 5, headers: { trace: '7', raw: 'x' } },
      ])
    })

    it('have the clock’s time and no key unless told', () => {
      using driver = new TopologyTestDriver(echo(), { startTime: 1_000 })
      driver.input('in').send('a')
      driver.advanceWallClock('2s')
      driver.input('in').send('b')
      assert.deepEqual(
        driver
          .output('out')
          .readAll()
          .map(({ key, timestamp }) => [key, timestamp]),
        [
          [null, 1000],
          [null, 3000],
        ],
      )
    })

    it('are keyed by keyOf where no key is given, as producers key them', () => {
      using driver = new TopologyTestDriver(echo({ keyOf: (value: string) => value.slice(0, 1) }))
      driver.input('in').send('abc')
      driver.input('in').send('xyz', { key: 'own' })
      driver.input('in').send('def', { key: null })
      assert.deepEqual(
        driver
          .output('out')
          .readAll()
          .map(({ key }) => key),
        ['a', 'own', null],
      )
    })

    it('take many records in batches, bare values and records with options', () => {
      for (const batchSize of [1, 2, 100]) {
        using driver = new TopologyTestDriver(echo(), { batchSize })
        driver.input('in').sendAll(['a', { value: 'b', key: 'k', timestamp: 9 }, 'c'])
        assert.deepEqual(
          driver
            .output('out')
            .readAll()
            .map(({ key, value, timestamp }) => [key, value, timestamp]),
          [
            [null, 'a', 0],
            ['k', 'b', 9],
            [null, 'c', 0],
          ],
        )
      }
    })

    it('take a value that looks like a record with options as what it is, where it has more to it', () => {
      const builder = new StreamsBuilder()
      builder.stream('in', { value: serdes.json() }).to('out', { value: serdes.json() })
      using driver = new TopologyTestDriver(builder.build())
      driver.input('in').sendAll([{ value: 1, unit: 'kg' }, { value: { value: 2 } }])
      assert.deepEqual(values(driver), [{ value: 1, unit: 'kg' }, { value: 2 }])
    })

    it('take bytes as they are, for onInvalid', () => {
      const seen: unknown[] = []
      const onInvalid = (error: DhaaraError, record: { offset: number; value: Uint8Array | null }) => {
        seen.push([error.code, record.offset, Buffer.from(record.value ?? []).toString()])
        return 'skip'
      }
      const builder = new StreamsBuilder()
      builder.stream('in', { value: serdes.json(), onInvalid: onInvalid as never }).to('out', { value: serdes.json() })
      using driver = new TopologyTestDriver(builder.build())
      driver.input('in').send({ fine: 1 })
      driver.input('in').sendBytes(Buffer.from('{"bad'))
      driver.input('in').sendBytes(Buffer.from('2'))
      assert.deepEqual(values(driver), [{ fine: 1 }, 2])
      assert.deepEqual(seen, [['DHAARA_DESERIALIZE', 1, '{"bad']])
    })

    it('put dead letters into a topic, with headers that say what, where, why and when', () => {
      using driver = new TopologyTestDriver(echo({ value: serdes.json(), onInvalid: 'deadLetter' }), { startTime: 77 })
      driver.input('in').sendBytes(Buffer.from('{"bad'), { key: Buffer.from('k'), timestamp: 3, headers: { own: '1' } })
      const [letter] = driver.output('dead-letters').readAll()
      assert.equal(Buffer.from(letter?.value as Uint8Array).toString(), '{"bad')
      assert.equal(Buffer.from(letter?.key as Uint8Array).toString(), 'k')
      assert.equal(letter?.timestamp, 3)
      const { 'dhaara-error-message': message, 'dhaara-error-stack': stack, ...headers } = letter?.headers ?? {}
      assert.match(message ?? '', /7b22626164.*expected JSON/)
      assert.ok(stack)
      assert.deepEqual(headers, {
        own: '1',
        'dhaara-error-code': 'DHAARA_DESERIALIZE',
        'dhaara-error-step': 'in',
        'dhaara-topic': 'in',
        'dhaara-partition': '0',
        'dhaara-offset': '0',
        'dhaara-time': '77',
      })
    })

    it('meet the policies of an app where the test names them', () => {
      const builder = new StreamsBuilder()
      const refuse = (n: number) => {
        if (n === 2) throw new Error('two')
        return n
      }
      builder
        .stream('in', { value: serdes.json<number>() })
        .mapValues(refuse, { name: 'score' })
        .to('out', { value: serdes.json() })
      const topology = builder.build()
      const send = (errors: DriverOptions['errors']) => {
        using driver = new TopologyTestDriver(topology, errors === undefined ? {} : { errors })
        const input = driver.input('in')
        for (const text of ['1', '2', '{"bad', '3']) input.sendBytes(Buffer.from(text), { key: Buffer.from('k') })
        const letters = driver.output('dead-letters').readAll()
        return [
          values(driver),
          letters.map(({ key, value, headers }) => [`${key} ${value}`, headers['dhaara-error-step']]),
        ]
      }
      assert.deepEqual(send({ user: 'deadLetter', data: 'skip' }), [[1, 3], [['k 2', 'score']]])
      assert.deepEqual(send({ user: () => 'skip', data: () => 'deadLetter' }), [[1, 3], [['k {"bad', 'in']]])
      assert.throws(() => send(undefined), { code: 'DHAARA_USER_CODE' })
      assert.throws(() => send({ user: () => 'retry' }), { code: 'DHAARA_USER_CODE' })
      assert.throws(() => send({ user: 'skip' }), { code: 'DHAARA_DESERIALIZE' })
    })

    it('go to the partition that is given, or that the key belongs to', () => {
      const builder = new StreamsBuilder()
      builder
        .stream('in', text)
        .mapValues((value, _, { partition, offset }) => `${value}@${partition}/${offset}`)
        .to('out', text)
      using driver = new TopologyTestDriver(builder.build(), { partitions: 3 })
      driver.input('in').send('a', { partition: 2 })
      driver.input('in').send('b', { key: 'k', partition: 1 })
      driver.input('in').send('c', { key: 'k' })
      driver.input('in').send('d', { key: 'k' })
      const [, , c, d] = values(driver) as string[]
      assert.equal(c?.split('@')[1]?.split('/')[0], d?.split('@')[1]?.split('/')[0])
    })

    it('are those that the topology reads', () => {
      using driver = new TopologyTestDriver(echo())
      assert.throws(() => driver.input('inn').send('a'), coded('DHAARA_TOPIC_UNKNOWN', /'inn'.*read: in$/))
      assert.throws(() => driver.advanceWatermark('inn', 1), coded('DHAARA_TOPIC_UNKNOWN', /'inn'/))
    })

    it('may be any topic that a source’s pattern matches', () => {
      const builder = new StreamsBuilder()
      builder
        .stream(/^logs-/, text)
        .mapValues((value, _, { topic }) => `${topic}: ${value}`)
        .to('out', text)
      using driver = new TopologyTestDriver(builder.build())
      driver.input('logs-a').send('x')
      driver.input('logs-b').send('y')
      assert.deepEqual(values(driver), ['logs-a: x', 'logs-b: y'])
      assert.throws(() => driver.input('other'), coded('DHAARA_TOPIC_UNKNOWN', /'other'/))
    })

    it('of several sources of one topic all get it', () => {
      const builder = new StreamsBuilder()
      builder.stream(['a', 'b'], text).to('out', text)
      using driver = new TopologyTestDriver(builder.build())
      driver.input('a').send('1')
      driver.input('b').send('2')
      assert.deepEqual(values(driver), ['1', '2'])
    })

    it('get what sinks write into them', () => {
      const builder = new StreamsBuilder()
      builder
        .stream('in', text)
        .mapValues((value) => `${value}!`)
        .to('middle', text)
      builder
        .stream('middle', text)
        .mapValues((value) => `${value}?`)
        .to('out', text)
      using driver = new TopologyTestDriver(builder.build())
      driver.input('in').send('a')
      assert.deepEqual(values(driver, 'middle'), ['a!'])
      assert.deepEqual(values(driver), ['a!?'])
    })
  })
})
