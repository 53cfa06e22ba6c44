import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { embeddedBroker, pattern, serdes, StreamsApp, StreamsBuilder, type Topology } from '../../../src/index.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'
import { read, runToEnd, send, type Sent } from './run.ts'

interface Item {
  readonly kind: string
  readonly n: number
}

function search(): Topology {
  const p = pattern<Item>()
  const is = (kind: string) => (item: Item) => item.kind === kind
  const rise = p
    .begin('low')
    .where(is('a'))
    .followedBy('high')
    .where((item, ctx) => item.kind === 'b' && item.n % 100 > (ctx.last('low')?.n ?? 0) % 100)
    .within(400)
  const silence = p.begin('call').where(is('c')).notFollowedBy('answer').where(is('d')).within(300)
  const builder = new StreamsBuilder()
  builder
    .stream('items', { key: serdes.string(), value: serdes.json<Item>() })
    .match({ rise, silence }, { name: 'find' })
    .select(({ pattern: name, match }) => ({
      name,
      ns: Object.values(match).flatMap((list) => list.map(({ n }) => n)),
    }))
    .to('found', { key: serdes.string(), value: serdes.json() })
  return builder.build()
}

const items = (from: number, to: number): Sent[] =>
  Array.from({ length: to - from }, (_, i) => {
    const n = (from + i) * 7919
    return { key: `k${n % 23}`, value: { kind: 'abcdeeee'[(n >> 3) % 8], n }, timestamp: 1000 + from + i }
  })

describe('match in an app', () => {
  const topology = search()
  const expected = () => {
    const driver = new TopologyTestDriver(topology)
    for (const { key, value, timestamp } of items(0, 6000)) driver.input('items').send(value, { key, timestamp })
    driver.end()
    return driver
      .output('found')
      .readAll()
      .map(({ key, value, timestamp }) => ({ key, value, timestamp }))
  }

  for (const cacheBytes of [0, 64 << 20]) {
    it(`goes on where it was, from the database, with ${cacheBytes} bytes of cache`, async () => {
      const dir = mkdtempSync(join(tmpdir(), 'dhaara-match-'))
      const broker = () => embeddedBroker({ dir, partitions: 1 })
      try {
        for (const [from, to] of [
          [0, 2500],
          [2500, 2501],
          [2501, 4000],
        ] as const) {
          await using open = broker()
          await send(open, 'items', items(from, to))
          await using app = new StreamsApp({ applicationId: 'test', topology, broker: open, cacheBytes })
          const processed = new Promise<void>((resolve) => {
            app.on('checkpoint', () => {
              if ((app.metrics()['recordsIn'] ?? 0) >= to - from) resolve()
            })
          })
          await app.start()
          await processed
          await app.close()
        }
        await using last = broker()
        await send(last, 'items', items(4000, 6000))
        await runToEnd({ topology, broker: last, cacheBytes })
        assert.deepEqual(await read(last, 'found'), expected())
      } finally {
        rmSync(dir, { recursive: true })
      }
    })
  }

  it('counts what it drops, and goes on after a condition that throws, if the policy says so', async () => {
    const builder = new StreamsBuilder()
    builder
      .stream('items', { key: serdes.string(), value: serdes.json<Item>() })
      .match((p) => p.begin('x').where((item) => (item.kind === 'd' ? assert.fail('no d') : item.kind === 'a')), {
        name: 'find',
      })
      .select(({ x }) => (x[0].n === 2 ? assert.fail('no 2') : x[0].n))
      .to('found', { key: serdes.string(), value: serdes.json() })
    await using broker = embeddedBroker({ partitions: 1 })
    const kinds = ['a', 'd', 'a', 'a']
    await send(
      broker,
      'items',
      kinds.map((kind, n) => ({ key: 'k', value: { kind, n }, timestamp: n })),
    )
    await using app = new StreamsApp({
      applicationId: 'test',
      topology: builder.build(),
      broker,
      errors: { user: 'skip' },
    })
    await app.start()
    app.endInputs()
    await app.completed
    const { 'find.failed': failed, 'find.matches': matches, 'find.partials': partials } = app.metrics()
    assert.deepEqual([failed, matches, partials], [2, 3, 0])
    assert.deepEqual(
      (await read(broker, 'found')).map(({ value }) => value),
      [0, 3],
    )
  })
})
