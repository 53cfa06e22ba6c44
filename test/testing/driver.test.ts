import assert from 'node:assert/strict'
import { type DhaaraError, serdes, StreamsBuilder, type Topology, watermarks, windows } from '../../src/index.ts'
import { stores } from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/index.ts'

const text = { key: serdes.string(), value: serdes.string() }
const coded = (code: string, pattern: RegExp) => (error: DhaaraError) => {
  assert.equal(error.code, code)
  assert.match(error.message, pattern)
  return true
}

function echo(options: object = {}): Topology {
  const builder = new StreamsBuilder()
  builder.stream('in', { ...text, ...options }).to('out', text)
  return builder.build()
}

function counts(watermark = watermarks.monotonous()): Topology {
  const builder = new StreamsBuilder()
  builder
    .stream('in', { ...text, watermark })
    .groupByKey()
    .windowedBy(windows.tumbling(10).noGrace())
    .emit('close')
    .lateTo('late')
    .count({ store: 'counts' })
    .toStream()
    .map((count, { key, window }) => [key, `${window.start}:${count}`] as const)
    .to('out', text)
  return builder.build()
}

const values = (driver: TopologyTestDriver, topic = 'out') =>
  driver
    .output(topic)
    .readAll()
    .map(({ value }) => value)

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

  describe('outputs', () => {
    it('are read one by one, all at once, or by key', () => {
      using driver = new TopologyTestDriver(echo())
      const out = driver.output('out')
      assert.equal(out.isEmpty, true)
      assert.equal(out.read(), undefined)
      for (const [key, value] of ['ax', 'by', 'az', 'bw'].map((pair) => [...pair]))
        driver.input('in').send(value as string, { key: key as string })
      assert.equal(out.isEmpty, false)
      assert.equal(out.read()?.value, 'x')
      assert.deepEqual(
        out.readAllToMap(),
        new Map([
          ['b', 'w'],
          ['a', 'z'],
        ]),
      )
      assert.equal(out.isEmpty, true)
    })

    it('have null for a deletion, and dynamic topics each their own', () => {
      const builder = new StreamsBuilder()
      builder
        .stream('in', { ...text, tombstones: 'keep' })
        .to((value) => (value === null ? 'gone' : `to-${value}`), text as never)
      using driver = new TopologyTestDriver(builder.build())
      driver.input('in').send('a', { key: 'k' })
      driver.input('in').send(null, { key: 'k' })
      assert.deepEqual(values(driver, 'to-a'), ['a'])
      assert.deepEqual(values(driver, 'gone'), [null])
    })
  })

  describe('time', () => {
    it('moves by hand where a source has no strategy', () => {
      using driver = new TopologyTestDriver(counts(watermarks.none()))
      driver.input('in').send('x', { key: 'a', timestamp: 3 })
      driver.input('in').send('x', { key: 'a', timestamp: 30 })
      assert.deepEqual(values(driver), [])
      driver.advanceWatermark('in', 9)
      assert.deepEqual(values(driver), ['0:1'])
      driver.advanceWatermark('in', 5)
      driver.input('in').send('y', { key: 'a', timestamp: 9 })
      assert.deepEqual(values(driver, 'late'), ['y'])
    })

    it('ends input by input, or all at once', () => {
      const builder = new StreamsBuilder()
      const left = builder.stream('left', text)
      left
        .merge(builder.stream('right', text))
        .groupByKey()
        .windowedBy(windows.tumbling(10).noGrace())
        .emit('close')
        .count()
        .toStream()
        .map((count, { key }) => [key, String(count)] as const)
        .to('out', text)
      for (const all of [false, true]) {
        using driver = new TopologyTestDriver(builder.build())
        driver.input('left').send('x', { key: 'a', timestamp: 3 })
        driver.input('left').end()
        assert.deepEqual(values(driver), [])
        if (all) driver.end()
        else driver.input('right').end()
        assert.deepEqual(values(driver), ['1'])
      }
    })

    it('of the wall stands still until it is moved, then makes timers and punctuators due in their order', () => {
      const builder = new StreamsBuilder()
      builder
        .stream('in', text)
        .process<string, string>((ctx) => {
          ctx.schedule('1s', 'wall', (at) => ctx.forward(`tick ${at}`, ''))
          return {
            process: (_, key) => ctx.timers.set(key as string, ctx.wallTime + 1500, { clock: 'wall' }),
            onTimer: (key, at) => ctx.forward(`timer ${at}`, key),
          }
        })
        .to('out', text)
      using driver = new TopologyTestDriver(builder.build(), { startTime: 100 })
      driver.input('in').send('x', { key: 'a' })
      assert.deepEqual(values(driver), [])
      driver.advanceWallClock(1000)
      assert.deepEqual(values(driver), ['tick 1100'])
      driver.advanceWallClock('1s')
      assert.deepEqual(values(driver), ['timer 1600', 'tick 2100'])
      driver.advanceWallClock('500ms')
      assert.deepEqual(values(driver), [])
    })

    it('lets an input that is silent go idle, as an app does', () => {
      const builder = new StreamsBuilder()
      const streamOf = (topic: string) =>
        builder.stream(topic, { ...text, watermark: watermarks.monotonous().withIdleness('10s') })
      streamOf('left')
        .merge(streamOf('right'))
        .groupByKey()
        .windowedBy(windows.tumbling(10).noGrace())
        .emit('close')
        .count()
        .toStream()
        .map((count, { key }) => [key, String(count)] as const)
        .to('out', text)
      using driver = new TopologyTestDriver(builder.build())
      driver.input('right').send('x', { key: 'a', timestamp: 1 })
      driver.advanceWallClock('9s')
      driver.input('left').send('x', { key: 'a', timestamp: 2 })
      driver.input('left').send('x', { key: 'a', timestamp: 20 })
      assert.deepEqual(values(driver), [])
      driver.advanceWallClock('1s')
      assert.deepEqual(values(driver), ['2'])
    })
  })

  describe('state', () => {
    const shelf = stores.keyValue('shelf', { key: serdes.number(), value: serdes.string() })
    const paths = stores.keyValue('paths', {
      key: serdes.tuple(serdes.string(), serdes.number()),
      value: serdes.string(),
    })

    function shelves(): Topology {
      const builder = new StreamsBuilder()
      builder.addStateStore(shelf)
      builder.addStateStore(paths)
      builder
        .stream('in', { key: serdes.number(), value: serdes.string() })
        .process<number, string>(
          (ctx) => ({
            process(value, key) {
              if (key !== null) ctx.store(shelf).put(key, value)
            },
          }),
          { stores: [shelf, paths] },
        )
        .forEach(() => {})
      return builder.build()
    }

    it('is read and written by handle and by name', () => {
      using driver = new TopologyTestDriver(shelves())
      driver.input('in').send('five', { key: 5 })
      assert.equal(driver.store(shelf).get(5), 'five')
      driver.store(shelf).put(6, 'six')
      assert.equal(driver.store('shelf').get(6), 'six')
      assert.equal(driver.store(shelf).delete(5), 'five')
      assert.equal(driver.store(shelf).has(5), false)
      assert.equal(driver.store(shelf).putIfAbsent(6, 'other'), 'six')
      assert.throws(() => driver.store('shelve'), coded('DHAARA_STORE_UNKNOWN', /'shelve'.*shelf/))
    })

    it('is in the order of its keys, below zero too, whatever is cached', () => {
      for (const cacheBytes of [1, 1 << 20]) {
        using driver = new TopologyTestDriver(shelves(), { cacheBytes })
        for (const key of [3, -1, 0, -20, 1.5, 7]) driver.input('in').send(`v${key}`, { key })
        for (let i = 0; i < 3; i++) driver.checkpoint()
        driver.input('in').send('new', { key: -2 })
        const keys = (rows: Iterable<readonly [number, string]>) => [...rows].map(([key]) => key)
        assert.deepEqual(keys(driver.store(shelf).all()), [-20, -2, -1, 0, 1.5, 3, 7])
        assert.deepEqual(keys(driver.store(shelf).range(-2, 3)), [-2, -1, 0, 1.5, 3])
        assert.deepEqual(keys(driver.store(shelf).range(undefined, 0, { reverse: true, limit: 2 })), [0, -1])
        assert.equal(driver.store(shelf).approximateCount, 7)
      }
    })

    it('finds the first parts of a tuple', () => {
      using driver = new TopologyTestDriver(shelves())
      const store = driver.store(paths)
      for (const [line, stop] of [
        ['a', 2],
        ['b', -1],
        ['b', 5],
        ['ba', 1],
      ] as const)
        store.put([line, stop], `${line}${stop}`)
      assert.deepEqual(
        [...store.prefix(['b'])].map(([, value]) => value),
        ['b-1', 'b5'],
      )
    })

    it('of several partitions is one', () => {
      using driver = new TopologyTestDriver(shelves(), { partitions: 4 })
      for (let key = 0; key < 20; key++) driver.input('in').send(`v${key}`, { key })
      assert.equal(driver.store(shelf).get(13), 'v13')
      assert.equal([...driver.store(shelf).all()].length, 20)
      assert.deepEqual(
        [...driver.store(shelf).range(4, 6)].map(([key]) => key),
        [4, 5, 6],
      )
      assert.equal(driver.store(shelf).delete(13), 'v13')
      assert.equal(driver.store(shelf).has(13), false)
      assert.equal(driver.store(shelf).approximateCount, 19)
    })
  })

  describe('checkpoints', () => {
    it('are where a crash goes back to: what was sent since is to be sent again', () => {
      using driver = new TopologyTestDriver(counts())
      driver.input('in').send('x', { key: 'a', timestamp: 1 })
      driver.checkpoint()
      driver.input('in').send('x', { key: 'a', timestamp: 2 })
      driver.input('in').send('x', { key: 'a', timestamp: 30 })
      driver.crash()
      assert.deepEqual(values(driver), [])
      driver.input('in').send('x', { key: 'a', timestamp: 40 })
      assert.deepEqual(values(driver), ['0:1'])
    })

    it('are not needed: a crash goes back to the beginning', () => {
      using driver = new TopologyTestDriver(counts())
      driver.input('in').send('x', { key: 'a', timestamp: 1 })
      driver.crash()
      driver.end()
      assert.deepEqual(values(driver), [])
    })

    it('keep what was written before and not read', () => {
      using driver = new TopologyTestDriver(echo())
      driver.input('in').send('before')
      driver.checkpoint()
      driver.input('in').send('after')
      driver.crash()
      assert.deepEqual(values(driver), ['before'])
    })

    it('are where other drivers begin, with clock, watermarks, timers and ends', () => {
      const driver = new TopologyTestDriver(counts(), { startTime: 500 })
      driver.input('in').send('x', { key: 'a', timestamp: 25 })
      driver.advanceWallClock(50)
      const restore = driver.checkpoint()
      driver.close()
      using other = new TopologyTestDriver(counts(), { restore })
      other.input('in').send('late', { key: 'a', timestamp: 3 })
      other.input('in').send('now', { key: 'a' })
      assert.deepEqual(values(other, 'late'), ['late'])
      assert.deepEqual(values(other), ['20:1'])
      other.end()
      assert.deepEqual(values(other), ['550:1'])
      using third = new TopologyTestDriver(counts(), { restore: other.checkpoint() })
      third.input('in').send('too late', { timestamp: 9_000, key: 'a' })
      assert.deepEqual(values(third, 'late'), ['too late'])
    })

    it('fit their own topology alone', () => {
      using driver = new TopologyTestDriver(counts())
      driver.input('in').send('x', { key: 'a', timestamp: 1 })
      const restore = driver.checkpoint()
      assert.throws(
        () => new TopologyTestDriver(echo(), { restore }),
        coded('DHAARA_STATE_INCOMPATIBLE', /another topology/),
      )
    })
  })

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
