import assert from 'node:assert/strict'
import { every, serdes, StreamsApp, StreamsBuilder, windows } from '../../../../src/index.ts'
import { embeddedBroker, type Serde, stores } from '../../../../src/index.ts'
import { read, send } from '../../app/run.ts'

const json = { key: serdes.string(), value: serdes.json<number>() }

/** An adder that refuses to go beyond 3: of a record's windows it is the fuller one that fails. */
function refusing(windowed: object, mode: unknown, pure: boolean) {
  const builder = new StreamsBuilder()
  builder
    .stream('in', json)
    .groupByKey()
    .windowedBy(windowed as never)
    .emit(mode as never)
    .aggregate(
      () => ({ all: [] as number[] }),
      (held, v) => {
        const next = pure ? { all: [...held.all, v] } : held
        if (!pure) held.all.push(v)
        if (next.all.length > 3) throw new RangeError('too many')
        return next
      },
      { pure } as never,
    )
    .toStream()
    .map((v, { key, window }) => [`${key} ${window.start}`, v] as const)
    .to('out', { key: serdes.string(), value: serdes.json() })
  return builder.build()
}

async function last(windowed: object, mode: unknown, pure: boolean, sent: readonly (readonly [number, number])[]) {
  const broker = embeddedBroker({ partitions: 1 })
  await send(
    broker,
    'in',
    sent.map(([value, timestamp]) => ({ key: 'a', value, timestamp })),
  )
  const topology = refusing(windowed, mode, pure)
  const app = new StreamsApp({ applicationId: 'test', topology, broker, errors: { user: 'skip' } })
  await app.start()
  app.endInputs()
  await app.completed
  const rows = new Map((await read(broker, 'out')).map(({ key, value }) => [key, value]))
  await broker[Symbol.asyncDispose]()
  return rows
}

const kinds = {
  hopping: { windowed: windows.hopping(20, { advance: 10 }).grace(50), times: [11, 21, 22], bad: 12 },
  cumulative: { windowed: windows.cumulative(20, { step: 10 }).grace(50), times: [11, 12, 13], bad: 5 },
  sliding: { windowed: windows.sliding(9).grace(50), times: [15, 16, 17], bad: 12 },
}
const modes = { update: 'update', close: 'close', onTime: 'onTime', every: every(5) }

describe('a record for which one of its windows fails', () => {
  // of the windows of the bad record the later one is full
  for (const [name, { windowed, times, bad }] of Object.entries(kinds))
    for (const [called, mode] of Object.entries(modes))
      for (const pure of [false, true])
        it(`leaves all of them as they were: ${name}, ${called}${pure ? ', pure' : ''}`, async () => {
          const fine = times.map((at, n) => [n + 1, at] as const)
          const rows = await last(windowed, mode, pure, [...fine, [4, bad], [5, 200]])
          const expected = await last(windowed, mode, pure, [...fine, [5, 200]])
          assert.ok(expected.size > 1)
          assert.deepEqual(rows, expected)
        })
})

describe('an epoch that is taken back before the first was written', () => {
  it('begins again where sources began that want the latest records alone', async () => {
    const broker = embeddedBroker({ partitions: 1 })
    await send(broker, 'in', [{ key: 'a', value: 0, timestamp: 1 }])
    const builder = new StreamsBuilder()
    builder
      .stream('in', { ...json, offsetReset: 'latest' })
      .groupByKey()
      .aggregate(
        () => [] as number[],
        (all, v) => {
          if (v === 2) throw new RangeError('no twos')
          return [...all, v]
        },
      )
      .toStream()
      .to('out', { key: serdes.string(), value: serdes.json() })
    const errors = { user: 'skip' } as const
    const app = new StreamsApp({ applicationId: 'test', topology: builder.build(), broker, errors })
    await app.start()
    await send(
      broker,
      'in',
      [1, 2, 3].map((value) => ({ key: 'a', value, timestamp: value })),
    )
    app.endInputs()
    await app.completed
    assert.deepEqual((await read(broker, 'out')).at(-1)?.value, [1, 3])
    await broker[Symbol.asyncDispose]()
  })
})

describe('user code outside of records', () => {
  it('that throws where a processor is made stops the start, with its step', async () => {
    const builder = new StreamsBuilder()
    builder.stream('in', json).process(
      () => {
        throw new RangeError('no processor')
      },
      { name: 'culprit' },
    )
    const broker = embeddedBroker({ partitions: 1 })
    const app = new StreamsApp({ applicationId: 'test', topology: builder.build(), broker, errors: { user: 'skip' } })
    await assert.rejects(app.start(), {
      code: 'DHAARA_USER_CODE',
      step: 'culprit',
      message: /step 'culprit' threw when its task was made: RangeError: no processor/,
    })
    await broker[Symbol.asyncDispose]()
  })

  it('of a store’s serde that throws stops the app with the store’s name; nothing of the epoch is written', async () => {
    const own: Serde<number> = serdes.from<number>({
      serialize: (v) => {
        if (v === 5) throw new RangeError('no fives')
        return Buffer.from(`${v}`)
      },
      deserialize: (bytes) => Number(Buffer.from(bytes).toString()),
    })
    const kept = stores.keyValue('kept', { key: serdes.string(), value: own })
    const topology = () => {
      const builder = new StreamsBuilder()
      builder.addStateStore(kept)
      builder
        .stream('in', json)
        .process<string, number>(
          (ctx) => ({
            process: (v, key) => {
              ctx.store(kept).put(key as string, v)
              ctx.forward(v, key as string)
            },
          }),
          { name: 'culprit', stores: [kept] },
        )
        .to('out', json)
      return builder.build()
    }
    const broker = embeddedBroker({ partitions: 1 })
    await send(broker, 'in', [
      { key: 'a', value: 1, timestamp: 1 },
      { key: 'b', value: 5, timestamp: 2 },
    ])
    for (const user of ['fail', 'skip'] as const) {
      const app = new StreamsApp({ applicationId: 'test', topology: topology(), broker, errors: { user, data: user } })
      const failed = app.start().then(() => app.completed)
      await assert.rejects(failed, { code: 'DHAARA_SERIALIZE', message: /'kept'.*no fives/ })
      await app.completed.catch(() => {})
      assert.deepEqual(await read(broker, 'out'), [])
    }
    await broker[Symbol.asyncDispose]()
  })

  it('that throws as it is closed does not keep others from being closed, and is told', async () => {
    const closed: string[] = []
    const closing = (name: string, fails: boolean) => () => ({
      process() {},
      close() {
        closed.push(name)
        if (fails) throw new RangeError(`${name} does not close`)
      },
    })
    const builder = new StreamsBuilder()
    const input = builder.stream('in', json)
    input.process(closing('one', true), { name: 'one' })
    input.process(closing('two', false), { name: 'two' })
    const broker = embeddedBroker({ partitions: 1 })
    const told: unknown[] = []
    const note = (fields: object, message?: string) => void told.push([message, fields])
    const logger = { debug() {}, info() {}, warn: note, error: note }
    const app = new StreamsApp({ applicationId: 'test', topology: builder.build(), broker, logger })
    await app.start()
    await app.close()
    assert.deepEqual(closed, ['one', 'two'])
    assert.match(JSON.stringify(told), /one does not close/)
    assert.equal(app.state, 'closed')
    await broker[Symbol.asyncDispose]()
  })
})
