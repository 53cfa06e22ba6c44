import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbedded } from '../../../src/connectors/broker/broker.ts'
import { restoreSavepoint } from '../../../src/engine/app/state/savepoint.ts'
import { embeddedBroker, serdes, stores, StreamsBuilder, type Topology } from '../../../src/index.ts'
import { read, send } from '../app/run.ts'
import { cases, keySerdes } from './topologies.ts'
import { type Broker, records, savepointOf, started, texts, toTheEnd } from './world.ts'

/** From so many partitions to so many; one of them for each case, all with DHAARA_LONG. */
const steps = [
  [1, 3],
  [3, 2],
  [2, 5],
] as const

describe('a savepoint that is started with other partitions', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dhaara-rescale-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  let folders = 0

  for (const [n, [name, one]] of Object.entries(cases).entries()) {
    const { topology, inputs, keys, first = inputs, rest = inputs, last = false } = one
    for (const [before, now] of process.env['DHAARA_LONG'] ? steps : steps.slice(n % 3, (n % 3) + 1)) {
      it(`${name}: from ${before} to ${now}`, async () => {
        const seed = ++folders
        const feed = async (broker: Broker, topics: readonly string[], from: number, to: number) => {
          for (const [i, topic] of inputs.entries())
            if (topics.includes(topic)) await send(broker, topic, records(seed + 7 * i).slice(from, to))
        }
        const whole = embeddedBroker({ partitions: now })
        await feed(whole, first, 0, 60)
        if (first !== inputs) await savepointOf(one, whole, join(folder, `whole-${seed}`))
        await feed(whole, rest, 60, 120)
        await toTheEnd(topology(), whole)

        const old = embeddedBroker({ partitions: before })
        await feed(old, first, 0, 60)
        const path = join(folder, String(seed))
        await savepointOf(one, old, path)

        const other = embeddedBroker({ partitions: now })
        const lease = await openEmbedded(other)
        await restoreSavepoint(lease.backend, 'test', path)
        await lease.release()
        await feed(other, rest, 60, 120)
        await toTheEnd(topology(), other)
        const rows = (broker: Broker) => read(broker, 'out', keySerdes[keys])
        const found = [...(await rows(old)), ...(await rows(other))]
        assert.deepEqual(texts(found, last), texts(await rows(whole), last))
        assert.ok(found.length > 0)
        for (const broker of [whole, old, other]) await broker[Symbol.asyncDispose]()
      }).timeout(20_000)
    }
  }

  const restored = async (from: Topology, to: Topology, positions: 'keep' | 'start' = 'keep') => {
    const path = join(folder, `refused-${++folders}`)
    const old = embeddedBroker({ partitions: 3 })
    await send(old, 'in', records(1))
    await savepointOf({ topology: () => from, inputs: ['in'], keys: 'text' }, old, path)
    const other = embeddedBroker({ partitions: 2 })
    const lease = await openEmbedded(other)
    await restoreSavepoint(lease.backend, 'test', path, positions)
    try {
      await toTheEnd(to, other)
      return await read(other, 'out')
    } finally {
      await lease.release()
      for (const broker of [old, other]) await broker[Symbol.asyncDispose]()
    }
  }
  const refused = (message: RegExp) => ({ code: 'DHAARA_SAVEPOINT', message })

  it('sends what is in flight of asynchronous calls again', async () => {
    const gate = Promise.withResolvers<void>()
    const topology = (through: Promise<void>) => {
      const builder = new StreamsBuilder()
      builder
        .stream('in', { key: serdes.string(), value: serdes.json<number>(), nullKeys: 'drop' })
        .mapAsync(
          (n, _, { signal }) =>
            Promise.race([through.then(() => n), new Promise<never>((_resolve, reject) => (signal.onabort = reject))]),
          { concurrency: 200 },
        )
        .to('out', { key: serdes.string(), value: serdes.json() })
      return builder.build()
    }
    const rows = await restored(topology(gate.promise), topology(Promise.resolve()))
    assert.deepEqual(
      rows.map(({ value }) => value as number).sort((a, b) => a - b),
      records(1).map(({ value }) => value),
    )
  })

  it('is refused where rows lie by something else than the keys of their records', async () => {
    const totals = stores.keyValue('totals', { key: serdes.string(), value: serdes.number() })
    const builder = new StreamsBuilder()
    builder
      .stream('in', { key: serdes.string(), value: serdes.json<number>(), nullKeys: 'drop' })
      .process((ctx) => ({ process: (n) => ctx.store(totals).put('all', (ctx.store(totals).get('all') ?? 0) + n) }), {
        stores: [totals],
      })
    const topology = builder.build()
    await assert.rejects(
      restored(topology, topology),
      refused(/rows of 'totals' .* the row of "all" lies in partition \d, where records of that key do not go/),
    )
  })
})

describe('another number of partitions', () => {
  const counting = (partitions: number) => {
    const builder = new StreamsBuilder()
    builder
      .stream('in', { key: serdes.string(), value: serdes.json<number>(), nullKeys: 'drop' })
      .selectKey((n) => `d${n % 5}`)
      .repartition({ partitions, name: 'digits' })
      .groupByKey()
      .count({ store: 'counts' })
    return builder.build()
  }

  it('is refused without a savepoint, and nothing is touched', async () => {
    const broker = embeddedBroker()
    await send(broker, 'in', records(1))
    await toTheEnd(counting(2), broker)
    await assert.rejects(toTheEnd(counting(3), broker), {
      code: 'DHAARA_STATE_INCOMPATIBLE',
      message:
        /store 'counts' had 2 partitions and has 3; repartition 'digits' had 2 partitions and has 3\. .*savepoint/,
    })
    await toTheEnd(counting(2), broker)
    await broker[Symbol.asyncDispose]()
  })

  it('is refused by a savepoint whose topics are others', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dhaara-positions-'))
    const [old, other] = [embeddedBroker(), embeddedBroker()]
    await send(old, 'in', records(1))
    const path = join(folder, 'one')
    await savepointOf({ topology: () => counting(2), inputs: ['in'], keys: 'text' }, old, path)
    const lease = await openEmbedded(other)
    await restoreSavepoint(lease.backend, 'test', path)
    await send(other, 'in', records(1).slice(0, 7))
    await assert.rejects(toTheEnd(counting(3), other), {
      code: 'DHAARA_SAVEPOINT',
      message: /read partition 0 of 'in' up to 120, and it ends at 7 here.*--positions start/,
    })
    await restoreSavepoint(lease.backend, 'anew', path, 'start')
    const app = await started(counting(3), other, 'anew')
    app.endInputs()
    const { recordsIn } = await app.completed
    assert.equal(recordsIn, 7)
    await lease.release()
    for (const broker of [old, other]) await broker[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })
})
