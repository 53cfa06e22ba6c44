import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbedded } from '../../../../src/connectors/broker/broker.ts'
import { createSavepoint, readSavepoint, restoreSavepoint } from '../../../../src/engine/app/state/savepoint.ts'
import { embeddedBroker, serdes, StreamsApp, StreamsBuilder, type Topology, windows } from '../../../../src/index.ts'
import { read, runToEnd, type Sent, send } from '../run.ts'

type Broker = ReturnType<typeof embeddedBroker>
const key = serdes.string()

/** Counts that are kept, sums of windows that are open, answers in flight or not. */
function topology(): Topology {
  const builder = new StreamsBuilder()
  const orders = builder.stream('orders', { key, value: serdes.json<number>(), nullKeys: 'drop' })
  orders
    .groupBy((n) => `d${n % 5}`)
    .count({ store: 'counts' })
    .toStream()
    .to('out', { key, value: serdes.json() }) // prettier-ignore
  orders
    .groupByKey()
    .windowedBy(windows.tumbling('1h').noGrace())
    .reduce((a, b) => a + b, { store: 'sums' })
    .toStream()
    .to('windows', { key: serdes.windowed(key), value: serdes.json() })
  return builder.build()
}

const orders = (from: number, to: number): Sent[] =>
  Array.from({ length: to - from }, (_, i) => ({
    key: `k${(from + i) % 7}`,
    value: from + i,
    timestamp: 10_000_000 + from + i,
  }))

async function backendOf<T>(
  broker: Broker,
  act: (backend: Awaited<ReturnType<typeof openEmbedded>>['backend']) => T,
): Promise<Awaited<T>> {
  const lease = await openEmbedded(broker)
  try {
    return await act(lease.backend)
  } finally {
    await lease.release()
  }
}

const last = async (broker: Broker): Promise<unknown> =>
  Object.fromEntries((await read(broker, 'out')).map(({ key: k, value }) => [k, value]))

describe('a savepoint', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dhaara-savepoint-'))
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('is where another back end goes on, under another name, with more workers', async () => {
    const one = embeddedBroker({ partitions: 3 })
    const other = embeddedBroker({ dir: join(folder, 'data'), partitions: 3 })
    for (const broker of [one, other]) await send(broker, 'orders', orders(0, 500))
    await runToEnd({ topology: topology(), broker: one })
    const path = join(folder, 'first')
    const made = await backendOf(one, (backend) => createSavepoint(backend, 'test', path, 0))
    assert.deepEqual(made, readSavepoint(path))
    assert.equal(made.createdAt, '1970-01-01T00:00:00.000Z')
    const counts = made.stores.find(({ name }) => name === 'counts')
    assert.equal(
      counts?.files.reduce((sum, { rows }) => sum + rows, 0),
      5,
    )

    await backendOf(other, (backend) => restoreSavepoint(backend, 'moved', path))
    for (const broker of [one, other]) await send(broker, 'orders', orders(500, 600))
    await runToEnd({ topology: topology(), broker: one })
    const summary = await runToEnd({ topology: topology(), broker: other, applicationId: 'moved' } as never)
    assert.equal(summary.recordsIn, 100)
    assert.deepEqual(await last(other), await last(one))
    assert.deepEqual(await last(other), { d0: 120, d1: 120, d2: 120, d3: 120, d4: 120 })
    await one[Symbol.asyncDispose]()
    await other[Symbol.asyncDispose]()
  }).timeout(20_000)

  it('leaves indexes out: they are made where it is restored, over other partitions too', async () => {
    const builder = new StreamsBuilder()
    const by = { byParity: (n: number) => (n % 2 === 0 ? 'even' : 'odd') }
    builder.table('orders', { key, value: serdes.json<number>(), store: { name: 'last', indexes: by } })
    const indexed = builder.build()
    const one = embeddedBroker({ partitions: 3 })
    await send(one, 'orders', orders(0, 100))
    await runToEnd({ topology: indexed, broker: one })
    const path = join(folder, 'indexed')
    const made = await backendOf(one, (backend) => createSavepoint(backend, 'test', path, 0))
    assert.deepEqual(
      made.stores.map(({ name }) => name).filter((name) => name.includes('by') || name.includes('index')),
      [],
    )
    const other = embeddedBroker({ partitions: 2 })
    await send(other, 'orders', [])
    await backendOf(other, (backend) => restoreSavepoint(backend, 'test', path))
    await using app = new StreamsApp({ applicationId: 'test', topology: indexed, broker: other })
    await app.start()
    const store = app.store('last')
    const all = (await store.all().toArray()) as [string, number][]
    assert.equal(all.length, 7)
    for (const [name, rest] of Object.entries({ even: 0, odd: 1 }))
      assert.deepEqual(
        await store.by('byParity', name).toArray(),
        all.filter(([, n]) => n % 2 === rest),
      )
    await app.close()
    await one[Symbol.asyncDispose]()
    await other[Symbol.asyncDispose]()
  }).timeout(20_000)

  it('is refused where there is state, where a file has changed, and where there is none', async () => {
    const broker = embeddedBroker()
    await send(broker, 'orders', orders(0, 50))
    await runToEnd({ topology: topology(), broker })
    const path = join(folder, 'second')
    const coded = (message: RegExp) => ({ code: 'DHAARA_SAVEPOINT', message })
    const made = await backendOf(broker, (backend) => createSavepoint(backend, 'test', path, 0))
    const create = (app: string) => backendOf(broker, (backend) => createSavepoint(backend, app, path, 0))
    const restore = (app: string) => backendOf(broker, (backend) => restoreSavepoint(backend, app, path))
    await assert.rejects(create('test'), coded(/could not make the folder .*second.*choose one that does not exist/))
    await assert.rejects(create('nobody'), coded(/found no state of 'nobody'/))
    await assert.rejects(restore('test'), coded(/found state of 'test', expected none/))
    const [file] = made.stores.find(({ name }) => name === 'counts')?.files ?? []
    appendFileSync(join(path, file?.file ?? ''), readFileSync(join(path, file?.file ?? '')))
    await assert.rejects(restore('copy'), coded(/found 10 rows .*expected 5 .*the file has changed/))
    assert.throws(() => readSavepoint(folder), coded(/found no savepoint in/))
    await broker[Symbol.asyncDispose]()
  }).timeout(20_000)
})
