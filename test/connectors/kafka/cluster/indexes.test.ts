import assert from 'node:assert/strict'
import fc from 'fast-check'
import { serdes, type StreamsApp } from '../../../../src/index.ts'
import { Instances, type Started } from './routing/instances.ts'
import { people, type Person } from './people.ts'

const cities = ['Pune', 'Goa', 'Agra', 'Patna'] as const
const names = Array.from({ length: 60 }, (_, i) => `p${String(i).padStart(2, '0')}`)

describe('secondary indexes on Kafka', () => {
  let instances: Instances
  /** What the store is to hold. */
  let model: Map<string, Person>

  beforeEach(async () => {
    instances = await Instances.make()
    model = new Map()
  })
  afterEach(() => instances[Symbol.asyncDispose]())

  const start = (name: string, own: object = {}): Promise<Started> =>
    instances.start(name, { topology: people(instances.app), ...own } as never)

  async function write(rows: readonly (readonly [string, Person | null])[]): Promise<void> {
    const options = { key: serdes.string(), value: serdes.json<Person>() }
    await using producer = instances.broker.producer(`${instances.app}.orders`, options)
    for (const [key, value] of rows) {
      void producer.send({ key, value })
      if (value === null) model.delete(key)
      else model.set(key, value)
    }
  }

  /** Rows that move from city to city, some of them gone. */
  const random = (seed: number, count = 300): [string, Person | null][] =>
    fc.sample(
      fc.tuple(
        fc.constantFrom(...names),
        fc.option(fc.record({ city: fc.constantFrom(...cities), n: fc.nat(9) }), { freq: 5 }),
      ),
      { seed, numRuns: count },
    )

  /** Until the store is what was written; then each index gives what a look at all rows gives, and nothing more. */
  async function check(app: StreamsApp, indexes: Readonly<Record<string, (p: Person) => unknown>>): Promise<void> {
    const store = app.store('people')
    const sorted = [...model].sort(([a], [b]) => (a < b ? -1 : 1))
    let rows: readonly (readonly [string, Person])[] = []
    await instances.until(async () => {
      rows = (await store.all().toArray()) as [string, Person][]
      return JSON.stringify(rows) === JSON.stringify(sorted)
    }, 'the rows have not come')
    for (const [index, by] of Object.entries(indexes)) {
      let found = 0
      for (const value of new Set([...rows.map(([, person]) => by(person)), 'nowhere'])) {
        const wanted = rows.filter(([, person]) => by(person) === value)
        assert.deepEqual(await store.by(index, value as string).toArray(), wanted, `${index} of ${String(value)}`)
        found += wanted.length
      }
      assert.equal(found, rows.length)
    }
  }

  const byCity = (p: Person): string => p.city
  const initial = (p: Person): string => p.city[0] as string

  it('find through each instance what a look at all rows finds, on threads, and where tasks go', async () => {
    const one = await start('one', { standbyReplicas: 1 })
    const module = new URL('./people.ts', import.meta.url)
    const onWorkers = { topology: module, workers: 2, settings: { app: instances.app }, standbyReplicas: 1 }
    const two = await start('two', onWorkers)
    await write(random(1))
    for (const { app } of [one, two]) await check(app, { byCity })
    await write(random(2))
    for (const { app } of [one, two]) await check(app, { byCity })
    // its tasks go on from the copies that the other has, made row by row
    await instances.stop(one.app)
    await check(two.app, { byCity })
    await write(random(3))
    // and come to one that has their rows as they were
    const again = await start('one', { standbyReplicas: 1 })
    await write(random(4))
    for (const { app } of [again, two]) await check(app, { byCity })
  }).timeout(120_000)

  it('come with what is restored from the changelog, and are there at once on a disk that was kept', async () => {
    await write(random(5))
    const one = await start('one')
    await check(one.app, { byCity })
    await instances.stop(one.app)
    const fresh = await start('fresh')
    await check(fresh.app, { byCity })
    await instances.stop(fresh.app)
    const kept = await start('one')
    await check(kept.app, { byCity })
    await write(random(6))
    await check(kept.app, { byCity })
    await instances.stop(kept.app)
    // what was written meanwhile is read into the rows that are there
    const behind = await start('fresh')
    await check(behind.app, { byCity })
  }).timeout(120_000)

  it('are made anew where their function is another, and go where it goes', async () => {
    const run = async (indexes: Readonly<Record<string, (p: Person) => string>>, seed: number): Promise<void> => {
      const { app } = await start('one', { topology: people(instances.app, indexes) })
      await write(random(seed))
      await check(app, indexes)
      await instances.stop(app)
    }
    await run({}, 7)
    await run({ byCity }, 8)
    await run({ byCity: initial, other: byCity }, 9)
    await run({ other: byCity }, 10)
    // kept by nobody meanwhile, though its function is the same as it was
    await run({ byCity: initial, other: byCity }, 11)
  }).timeout(120_000)
})
