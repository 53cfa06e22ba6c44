import assert from 'node:assert/strict'
import { compareKeys } from '../../../../../src/state/codec/index.ts'
import { Instances, partitions, type Started, token } from './instances.ts'
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
    const onWorkers = {
      topology: new URL('./shop.ts', import.meta.url),
      workers: 2,
      settings: { app: instances.app },
    }
    all = [
      await instances.start('one'),
      await instances.start('two', onWorkers as never),
      await instances.start('three'),
    ]
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

  it('are not waited for behind a position of a partition that there is not', () =>
    each(async ({ app }) => {
      const minPosition = { [`${instances.app}.orders`]: { [partitions]: 0 } }
      const refused = { code: 'DHAARA_QUERY', message: /partition 4 of '.*\.orders', which has 4/ }
      await assert.rejects(app.store('spent').get('x', { minPosition }), refused)
    }))

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

  it('are watched: rows, then changes, none left out and none twice; until a task moves', async () => {
    const seen = all.map(() => new Map<string, number[]>())
    const [stop, over] = [new AbortController(), [] as Promise<unknown>[]]
    for (const [i, { app }] of all.entries())
      over.push(
        (async () => {
          for await (const { key, value } of app.store('spent').subscribe(undefined, { signal: stop.signal })) {
            const told = seen[i]?.get(key as string)
            if (told === undefined) seen[i]?.set(key as string, [value as number])
            else told.push(value as number)
          }
        })(),
      )
    const ended = Promise.allSettled(over)
    // begun while changes come
    let sum = 0
    for (let n = 1; n <= 20; n++) {
      await instances.send([['c007', { city: 'Pune', rupees: n }, start + 7 * hour]])
      sum += n
    }
    const last = (spent.get('c007') as number) + sum
    await instances.until(
      async () => seen.every((rows) => rows.size === 100 && rows.get('c007')?.at(-1) === last),
      'the changes have not come',
    )
    for (const rows of seen) {
      for (const [key, values] of rows) {
        assert.deepEqual(
          values,
          [...new Set(values)].toSorted((a, b) => a - b),
          `${key} was told as ${values}`,
        )
        if (key !== 'c007') assert.deepEqual(values, [spent.get(key)])
      }
    }
    const [one] = all as [Started]
    const response = await fetch(`${one.url}/api/stores/spent/changes?prefix=%22c0%22`, {
      headers: { authorization: `Bearer ${token}` },
    })
    const text = response.text()
    const newcomer = await instances.start('four')
    for (const result of await ended) {
      assert.equal(result.status, 'rejected')
      assert.equal((result as PromiseRejectedResult).reason.code, 'DHAARA_MOVED')
    }
    assert.match(await text, /event: problem\ndata: .*DHAARA_MOVED/)
    await instances.until(
      async () => (await newcomer.app.store('spent').count()) === 100,
      'the newcomer does not see all',
    )
    assert.equal(await newcomer.app.store('spent').get('c007'), last)
    stop.abort()
    const total = async ({ url }: Started, name: string, labels = ''): Promise<number> => {
      const page = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } })
      const samples = (await page.text()).matchAll(new RegExp(`^${name}\\{.*${labels}.*\\} (\\d+)$`, 'gm'))
      return [...samples].reduce((all, [, n]) => all + Number(n), 0)
    }
    const wanted = await total(newcomer, 'dhaara_restore_wanted_records')
    assert.ok(wanted > 0, 'nothing tells of what it was restored from')
    assert.equal(await total(newcomer, 'dhaara_restore_done_records'), wanted)
    for (const part of ['flush', 'commit', 'write'])
      assert.ok((await total(all[0]!, 'dhaara_checkpoint_part_seconds_count', `part="${part}"`)) > 0, part)
  }).timeout(120_000)

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
