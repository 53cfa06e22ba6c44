import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { AnyStoreQuery, QueryOptions, ScanOptions } from '../../../src/index.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'
import { apps, type Running, readings, start } from './apps.ts'
import topology, * as fixture from './fixtures/stores.ts'

type Rows = readonly (readonly [unknown, unknown])[]

const hour = 3_600_000
const count = 300
const end = start + count * 30_000

/** What the stores hold in the end, as steps see it. */
function driver(): TopologyTestDriver {
  const made = new TopologyTestDriver(topology)
  made.input('readings').sendAll(readings(count).map((value) => ({ value })))
  return made
}

describe('queries', () => {
  const running = apps()
  const expected = driver()
  const rows = (name: string): Rows => [...expected.store(name).all()]
  const windows = (name: string, from = 0, to = end): Rows => [...expected.store(name).fetchAll(from, to)]
  const byKey = (all: Rows): Rows =>
    all.toSorted(([a], [b]) => {
      const [one, other] = [a, b] as { key: string; window: { start: number } }[]
      return one?.key === other?.key
        ? (one?.window.start ?? 0) - (other?.window.start ?? 0)
        : String(one?.key) < String(other?.key)
          ? -1
          : 1
    })

  for (const workers of [0, 2]) {
    for (const isolation of ['committed', 'latest'] as const) {
      describe(`of the ${isolation} state, with ${workers} workers`, () => {
        let app: Running
        const options: QueryOptions = { isolation }
        const store = (name: string): AnyStoreQuery => app.app.store(name)
        before(async function () {
          this.timeout(30_000)
          app = await running({ workers })
          await app.send(readings(count))
          const total = rows('cities').reduce((sum, [, n]) => sum + Number(n), 0)
          await app.until(async () => {
            const all = await store('cities').all().toArray()
            return all.reduce((sum, [, n]) => sum + Number(n), 0) === total
          })
        })

        it('get rows of keys, and of several at once', async () => {
          const sums = app.app.store(fixture.sums.store)
          for (const [key, value] of rows('sums')) assert.equal(await sums.get(String(key), options), value)
          assert.equal(await sums.get('nobody', options), undefined)
          const keys = ['s3', 'nobody', 's1', 's3']
          const all = new Map(rows('sums'))
          assert.deepEqual(
            await sums.getMany(keys, options),
            keys.map((key) => all.get(key)),
          )
          assert.deepEqual(await sums.getMany([], options), [])
          assert.deepEqual(await app.app.store(fixture.ids).get('s2', options), [
            ...expected.store(fixture.ids).values('s2'),
          ])
          assert.deepEqual(await app.app.store(fixture.ids).get('nobody', options), [])
          assert.equal(
            await app.app.store(fixture.last).get({ sensor: 's2' }, options),
            expected.store(fixture.last).get({ sensor: 's2' }),
          )
          assert.equal(await app.app.store(fixture.cities.store).get({ city: 'Pune' }, options), 128)
        })

        it('scan all rows, ranges and prefixes in the order of keys, both ways', async () => {
          const places = app.app.store(fixture.places.store)
          const all = rows('places')
          assert.deepEqual(await places.all(options).toArray(), all)
          assert.deepEqual(await places.all({ ...options, reverse: true }).toArray(), all.toReversed())
          assert.deepEqual(
            await places.prefix(['Goa'], options).toArray(),
            all.filter(([key]) => (key as string[])[0] === 'Goa'),
          )
          assert.deepEqual(await places.range(['Goa', 's4'], ['Pune', 's0'], options).toArray(), [
            ...expected.store(fixture.places.store).range(['Goa', 's4'], ['Pune', 's0']),
          ])
          const sums = store('sums')
          assert.deepEqual(await sums.range('s5', undefined, options).toArray(), rows('sums').slice(5))
          assert.deepEqual(
            await sums.range(undefined, 's1', { ...options, reverse: true }).toArray(),
            rows('sums').slice(0, 2).toReversed(),
          )
          assert.deepEqual(await sums.prefix('s', { ...options, limit: 3 }).toArray(), rows('sums').slice(0, 3))
          assert.equal((await store('last').all(options).toArray()).length, 7)
        })

        it('find windows of a key, and of all keys', async () => {
          for (const name of ['hours', 'hopping', 'ticked', 'parts']) {
            const query = store(name)
            assert.deepEqual(await query.all(options).toArray(), windows(name), name)
            for (const [from, to] of [
              [0, end],
              [start + hour, start + hour],
              [start + 1, start + 2 * hour - 1],
              [end, start],
            ] as const) {
              const all = windows(name, from, to)
              const own = all.filter(([key]) => (key as { key: string }).key === 's3')
              assert.deepEqual(await query.fetchAll(from, to, options).toArray(), all, name)
              assert.deepEqual(await query.fetch('s3', from, to, options).toArray(), own, name)
              const back = await query.fetch('s3', from, to, { ...options, reverse: true }).toArray()
              assert.deepEqual(back, own.toReversed(), name)
            }
            assert.deepEqual(await query.fetch('nobody', 0, end, options).toArray(), [])
          }
          for (const name of ['visits', 'sliding', 'shown']) {
            const all = byKey(windows(name))
            assert.ok(all.length > 7, name)
            assert.deepEqual(await store(name).all(options).toArray(), all, name)
            const own = all.filter(([key]) => (key as { key: string }).key === 's3')
            assert.deepEqual(await store(name).sessions('s3', options).toArray(), own, name)
          }
          const hours = app.app.store(fixture.hours.store)
          const [first] = await hours.fetch('s0', start, start, options).toArray()
          assert.deepEqual(first, [{ key: 's0', window: { start, end: start + hour } }, 18])
        })

        it('count rows, windows among them', async () => {
          for (const name of ['sums', 'places', 'cities'])
            assert.equal(await store(name).count(options), rows(name).length)
          for (const name of ['hours', 'visits', 'sliding'])
            assert.equal(await store(name).count(options), windows(name).length, name)
          assert.equal(await app.app.store(fixture.ids).count(options), 7)
        })

        it('go on by cursors: pages of any size are the whole', async () => {
          const scans: readonly ((opts: ScanOptions) => ReturnType<AnyStoreQuery['all']>)[] = [
            (opts) => store('places').all(opts),
            (opts) => store('sums').range('s1', 's5', opts),
            (opts) => store('hours').fetch('s3', start, end, opts),
            (opts) => store('hours').fetchAll(start + hour, end, opts),
            (opts) => store('visits').all(opts),
            (opts) => store('sliding').fetch('s3', start, end, opts),
          ]
          const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 })
          await fc.assert(
            fc.asyncProperty(fc.constantFrom(...scans), fc.boolean(), sizes, async (scan, reverse, limits) => {
              const whole = await scan({ ...options, reverse }).toArray()
              const paged: (readonly [unknown, unknown])[] = []
              let cursor: string | undefined
              for (let i = 0; i === 0 || cursor !== undefined; i++) {
                const limit = limits[i % limits.length] as number
                const page = scan({ ...options, reverse, limit, ...(cursor === undefined ? {} : { cursor }) })
                const found = await page.toArray()
                assert.ok(found.length <= limit)
                paged.push(...found)
                cursor = page.cursor
              }
              assert.deepEqual(paged, whole)
            }),
            { numRuns: 30 },
          )
        }).timeout(60_000)

        it('give what a reader may change', async () => {
          const list = (await app.app.store(fixture.ids).get('s2', options)) as number[]
          list.push(-1)
          assert.ok(!(await app.app.store(fixture.ids).get('s2', options)).includes(-1))
        })
      })
    }
  }
})
