import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type AnyStoreQuery, embeddedBroker, serdes, StreamsApp } from '../../../src/index.ts'
import { temporaryDirectories } from '../../connectors/embedded/backends.ts'
import { positionsOf } from './positions.ts'
import type { Person } from './fixtures/people.ts'

const module = new URL('./fixtures/people.ts', import.meta.url)
const cities = ['Pune', 'Goa', 'Agra', 'Patna'] as const

type Rows = readonly (readonly [unknown, unknown])[]

describe('secondary indexes', () => {
  const directory = temporaryDirectories()

  const running = async (dir: string, index: string) => {
    const broker = embeddedBroker({ dir, partitions: 3 })
    const app = new StreamsApp({
      applicationId: 'people',
      topology: module,
      workers: 2,
      settings: { index },
      broker,
      checkpointInterval: '10ms',
    })
    await app.start()
    const producer = broker.producer('people', { key: serdes.string(), value: serdes.json<Person>() })
    return {
      app,
      store: app.store('people'),
      async write(rows: Iterable<readonly [string, Person | null]>) {
        await Promise.all(Array.from(rows, ([key, value]) => producer.send({ key, value })))
        return positionsOf(broker, 'people', 3)
      },
      async [Symbol.asyncDispose]() {
        await producer.close()
        await app.close()
        await (broker as unknown as AsyncDisposable)[Symbol.asyncDispose]()
      },
    }
  }

  const check = async (store: AnyStoreQuery, by: (p: Person) => string): Promise<void> => {
    const all = (await store.all().toArray()) as [string, Person][]
    for (const value of new Set([...cities.map((city) => by({ city, n: 0 })), 'nowhere'])) {
      const wanted: Rows = all.filter(([, person]) => by(person) === value)
      assert.deepEqual(await store.by('byCity', value).toArray(), wanted)
      assert.deepEqual(await store.by('byCity', value, { reverse: true }).toArray(), wanted.toReversed())
      const some = store.by('byCity', value, { limit: 2 })
      const first = await some.toArray()
      const { cursor } = some
      const rest = cursor === undefined ? [] : await store.by('byCity', value, { cursor }).toArray()
      assert.deepEqual([...first, ...rest], wanted)
    }
  }

  it('find the rows that a scan finds, whatever was written, changed and deleted, and how rows were counted', async () => {
    const dir = directory()
    await using one = await running(dir, 'city')
    const row = fc.tuple(
      fc.integer({ min: 0, max: 40 }).map((n) => `p${n}`),
      fc.option(fc.record({ city: fc.constantFrom(...cities), n: fc.nat(9) }), { freq: 4 }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 60 }), async (rows) => {
        const minPosition = await one.write(rows)
        await one.store.count({ minPosition })
        await check(one.store, (p) => p.city)
        assert.equal(await one.store.count(), (await one.store.all().toArray()).length)
      }),
      { numRuns: 12 },
    )
  }).timeout(120_000)

  it('are made anew when they are new, or made otherwise, and go when they go', async () => {
    const dir = directory()
    const rows = Array.from({ length: 300 }, (_, i): [string, Person] => [
      `p${i}`,
      { city: cities[i % 4] as string, n: i },
    ])
    {
      await using none = await running(dir, 'none')
      const minPosition = await none.write(rows)
      await none.store.count({ minPosition })
      await assert.rejects(none.store.by('byCity', 'Pune').toArray(), /DHAARA_QUERY|it has none/)
    }
    {
      await using city = await running(dir, 'city')
      await check(city.store, (p) => p.city)
      await assert.rejects(city.store.by('byName', 'x').toArray(), /it has byCity/)
      await assert.rejects(city.store.by('byCity', 'x', { isolation: 'latest' }).toArray(), /committed/)
      const minPosition = await city.write([['p1', null]])
      await city.store.count({ minPosition })
    }
    await using initial = await running(dir, 'initial')
    await check(initial.store, (p) => p.city[0] as string)
    assert.equal(await initial.store.count({ estimate: true }), 299)
  }).timeout(120_000)
})
