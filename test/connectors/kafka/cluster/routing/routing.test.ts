import assert from 'node:assert/strict'
import { compareKeys } from '../../../../../src/state/codec/index.ts'
import { Instances, type Started, token } from './instances.ts'
import { hour, type Order } from './shop.ts'

const start = Date.parse('2026-10-20T00:00:00Z')
const cities = ['Pune', 'Goa', 'Kochi']
const orders = Array.from({ length: 600 }, (_, i): readonly [string, Order, number] => [
  `c${String(i % 100).padStart(3, '0')}`,
  { city: cities[i % 3] as string, rupees: i },
  start + Math.floor(i / 100) * hour + i,
])

const spent = new Map<string, number>()
const byCity = new Map<string, number>()
for (const [key, { city, rupees }] of orders) {
  spent.set(key, (spent.get(key) ?? 0) + rupees)
  byCity.set(city, (byCity.get(city) ?? 0) + 1)
}
const sorted = [...spent].sort(([a], [b]) => (a < b ? -1 : 1))

describe('stores of an app whose tasks are spread over instances', () => {
  let instances: Instances
  let all: Started[]

  before(async function () {
    this.timeout(120_000)
    instances = await Instances.make()
    all = [await instances.start('one'), await instances.start('two'), await instances.start('three')]
    await instances.send(orders)
    for (const { app } of all)
      await instances.until(async () => {
        const sum = (await app.store('cities').all().toArray()).reduce((n, [, count]) => n + (count as number), 0)
        return sum === orders.length && (await app.store('spent').count()) === spent.size
      }, 'not all has come')
  })
  after(async function () {
    this.timeout(60_000)
    await instances[Symbol.asyncDispose]()
  })

  const each = async (check: (one: Started) => Promise<void>): Promise<void> => {
    for (const one of all) await check(one)
  }
  const get = async <T>({ url }: Started, path: string, init: RequestInit = {}): Promise<T> => {
    const response = await fetch(`${url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${token}`, ...init.headers },
    })
    const text = await response.text()
    assert.equal(response.status, 200, text)
    return JSON.parse(text) as T
  }

  it('are spread', async () => {
    for (const { app, url } of all) {
      const hosts = await get<{ id: string; at?: string }[]>({ app, url }, '/api/tasks')
      assert.equal(new Set(hosts.map(({ at }) => at)).size, 3, JSON.stringify(hosts))
    }
  })

  for (const isolation of ['committed', 'latest'] as const) {
    it(`give each key through each instance, ${isolation}`, async () => {
      await each(async ({ app }) => {
        for (const [key, rupees] of sorted.slice(0, 20))
          assert.equal(await app.store('spent').get(key, { isolation }), rupees)
        assert.equal(await app.store('spent').get('nobody', { isolation }), undefined)
        const keys = [...sorted.map(([key]) => key), 'nobody']
        assert.deepEqual(await app.store('spent').getMany(keys, { isolation }), [
          ...sorted.map(([, n]) => n),
          undefined,
        ])
      })
    })

    it(`give rows in order, in pages, ${isolation}`, async () => {
      await each(async ({ app }) => {
        const rows = app.store('spent')
        assert.deepEqual(await rows.all({ isolation }).toArray(), sorted)
        assert.deepEqual(await rows.all({ isolation, reverse: true }).toArray(), sorted.toReversed())
        assert.deepEqual(
          await rows.prefix('c01', { isolation }).toArray(),
          sorted.filter(([key]) => key.startsWith('c01')),
        )
        assert.deepEqual(await rows.range('c010', 'c049', { isolation, limit: 7 }).toArray(), sorted.slice(10, 17))
        const pages: (readonly [unknown, unknown])[] = []
        let cursor: string | undefined
        let asked = 0
        do {
          // each page through another instance
          const scan = (all[asked++ % all.length] as Started).app
            .store('spent')
            .range('c005', undefined, { isolation, limit: 13, ...(cursor === undefined ? {} : { cursor }) })
          const page = await scan.toArray()
          pages.push(...page)
          cursor = page.length < 13 ? undefined : scan.cursor
        } while (cursor !== undefined)
        assert.deepEqual(pages, sorted.slice(5))
        assert.deepEqual(
          (await app.store('cities').all({ isolation }).toArray()).toSorted(([a], [b]) => compareKeys(a, b)),
          [...byCity].sort(([a], [b]) => (a < b ? -1 : 1)),
        )
      })
    })

    it(`give windows and sessions, ${isolation}`, async () => {
      await each(async ({ app }) => {
        const hours = app.store('hours')
        const own = await hours.fetch('c007', start + hour, start + 3 * hour, { isolation }).toArray()
        assert.deepEqual(
          own.map(([key, n]) => [(key as { window: { start: number } }).window.start, n]),
          [1, 2, 3].map((h) => [start + h * hour, 1]),
        )
        const second = await hours.fetchAll(start + hour, start + hour, { isolation }).toArray()
        assert.deepEqual(
          second.map(([key]) => (key as { key: string }).key),
          sorted.map(([key]) => key),
        )
        const visits = await app.store('visits').sessions('c007', { isolation }).toArray()
        assert.equal(visits.length, 6)
      })
    })
  }

  it('are counted, row by row and by estimate', async () => {
    await each(async ({ app }) => {
      assert.equal(await app.store('spent').count(), 100)
      assert.equal(await app.store('spent').count({ estimate: true }), 100)
      assert.equal(await app.store('hours').count(), 600)
    })
  })

  it('answer the same over HTTP', async () => {
    await each(async (one) => {
      const row = await get<{ value: number }>(one, '/api/stores/spent/row?key=%22c042%22')
      assert.equal(row.value, spent.get('c042'))
      const page = await get<{ rows: { key: string; value: number }[]; cursor: string }>(
        one,
        '/api/stores/spent/rows?limit=30',
      )
      assert.deepEqual(
        page.rows.map(({ key, value }) => [key, value]),
        sorted.slice(0, 30),
      )
    })
  })

  it('refuse what is meant for another instance, another app or another topology, and never pass it on', async () => {
    const [one] = all as [Started]
    const question = {
      app: instances.app,
      instance: 'x',
      topology: 'y',
      generation: 0,
      store: 'spent',
      partitions: [0, 1, 2, 3],
      isolation: 'committed',
      settled: false,
      type: 'scan',
    }
    const ask = (own: object, headers: Record<string, string> = { authorization: `Bearer ${token}` }) =>
      fetch(`${one.url}/api/peers/rows`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ ...question, ...own }),
      })
    const refused = await ask({})
    assert.equal(refused.status, 503)
    assert.equal(refused.headers.get('retry-after'), '1')
    assert.equal(((await refused.json()) as { code: string }).code, 'DHAARA_MOVED')
    assert.equal((await ask({}, {})).status, 401)
    assert.equal((await ask({ type: 'delete' })).status, 400)
    assert.equal((await ask({ more: 1 })).status, 400)
  })
})
