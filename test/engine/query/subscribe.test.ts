import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { from } from 'rxjs'
import {
  type AnyStoreQuery,
  type Change,
  embeddedBroker,
  latest,
  serdes,
  StreamsApp,
  StreamsBuilder,
} from '../../../src/index.ts'
import { apps, readings, start } from './apps.ts'
import * as fixture from './fixtures/stores.ts'

type Seen = Change<unknown, unknown>

/** A reader of changes that keeps them. */
function reader(changes: AsyncIterable<Seen>): { readonly seen: Seen[]; readonly over: Promise<void> } {
  const seen: Seen[] = []
  const over = (async () => {
    for await (const change of changes) seen.push(change)
  })()
  over.catch(() => {})
  return { seen, over }
}

/** What the changes leave. */
function left(seen: readonly Seen[]): Map<string, unknown> {
  const rows = new Map<string, unknown>()
  for (const { key, value } of seen) {
    if (value === null) rows.delete(JSON.stringify(key))
    else rows.set(JSON.stringify(key), value)
  }
  return rows
}

const rowsOf = async (store: AnyStoreQuery): Promise<Map<string, unknown>> =>
  new Map((await store.all().toArray()).map(([key, value]) => [JSON.stringify(key), value]))

describe('subscriptions', () => {
  const running = apps()

  for (const workers of [0, 2]) {
    it(`tell rows, then their changes, whenever they begin (${workers} workers)`, async () => {
      const app = await running({ workers })
      const names = ['sums', 'places', 'cities', 'hours', 'ticked', 'visits', 'sliding', 'shown', 'last']
      const readers: { name: string; seen: Seen[] }[] = []
      const all = readings(400)
      for (let i = 0; i < all.length; i += 40) {
        for (const name of names)
          readers.push({ name, ...reader(app.app.store(name).subscribe() as AsyncIterable<Seen>) })
        await app.send(all.slice(i, i + 40))
        await setImmediate()
      }
      for (const { name, seen } of readers) {
        const store = app.app.store(name)
        const whole = name === 'cities' ? 400 : undefined
        await app.until(async () => {
          const rows = await rowsOf(store)
          if (whole !== undefined && [...rows.values()].reduce((a: number, n) => a + Number(n), 0) !== whole)
            return false
          const found = left(seen)
          return (
            found.size >= rows.size &&
            [...rows].every(([key, value]) => JSON.stringify(found.get(key)) === JSON.stringify(value))
          )
        })
      }
      await app.until(async () => (await rowsOf(app.app.store('sums'))).get('"s0"') === 11571)
      // no row twice, none left out: of each key the sums rise by what was sent
      const seen = readers[0]?.seen ?? []
      await app.until(() => left(seen).get('"s0"') === 11571)
      const sums = seen.filter(({ key }) => key === 's0').map(({ value }) => Number(value))
      assert.deepEqual(
        sums,
        [...new Set(sums)].toSorted((a, b) => a - b),
      )
    }).timeout(60_000)
  }

  it('are of one key, of a prefix, or of what comes from now on', async () => {
    const app = await running({})
    await app.send(readings(14))
    const sums = app.app.store(fixture.sums.store)
    await app.until(async () => (await sums.get('s6')) === 19)
    const one = reader(sums.subscribe('s3'))
    const none = reader(sums.subscribe('s33'))
    const prefix = reader(app.app.store(fixture.places.store).subscribe({ prefix: ['Goa'] }))
    const later = reader(sums.subscribe(undefined, { from: 'now' }))
    const hours = reader(app.app.store(fixture.hours.store).subscribe('s3'))
    await app.until(() => one.seen.length === 1 && prefix.seen.length === 2 && hours.seen.length === 1)
    assert.deepEqual(later.seen, [])
    await app.send(readings(7, 14))
    await app.until(
      () => one.seen.length === 2 && prefix.seen.length === 4 && later.seen.length === 7 && hours.seen.length === 2,
    )
    const at = (n: number) => start + n * 30_000
    assert.deepEqual(one.seen, [
      { key: 's3', value: 13, timestamp: at(10) },
      { key: 's3', value: 30, timestamp: at(17) },
    ])
    assert.deepEqual(
      prefix.seen
        .map(({ key, value }) => [key, value])
        .toSorted((a, b) => Number(a[1]) - Number(b[1]) || (String(a[0]) < String(b[0]) ? -1 : 1)),
      [
        [['Goa', 's1'], 2],
        [['Goa', 's4'], 2],
        [['Goa', 's1'], 3],
        [['Goa', 's4'], 3],
      ],
    )
    assert.deepEqual(
      hours.seen.map(({ value }) => value),
      [2, 3],
    )
    assert.deepEqual(none.seen, [])
  }).timeout(30_000)

  it('tell that a row is gone which shows nothing any more', async () => {
    const builder = new StreamsBuilder()
    builder
      .stream('ratings', { key: serdes.string(), value: serdes.json<{ stars?: number }>() })
      .groupByKey()
      .aggregate(
        latest((rating: { stars?: number }) => rating.stars),
        { store: 'stars' },
      )
    await using broker = embeddedBroker()
    const topology = builder.build()
    await using app = new StreamsApp({ applicationId: 'ratings', topology, broker, checkpointInterval: '10ms' })
    await app.start()
    const store = app.store('stars')
    const { seen } = reader(store.subscribe() as AsyncIterable<Seen>)
    const producer = broker.producer('ratings', { key: serdes.string(), value: serdes.json() })
    const told = async (count: number): Promise<unknown[]> => {
      const signal = AbortSignal.timeout(20_000)
      while (seen.length < count) {
        signal.throwIfAborted()
        await setImmediate()
      }
      return seen.map(({ value }) => value)
    }
    await producer.send({ key: 'film', value: { stars: 5 } })
    assert.deepEqual(await told(1), [5])
    await producer.send({ key: 'film', value: {} })
    assert.deepEqual(await told(2), [5, null])
    assert.equal(await store.get('film'), undefined)
    await producer.send({ key: 'film', value: { stars: 3 } })
    assert.deepEqual(await told(3), [5, null, 3])
    await producer.close()
  }).timeout(30_000)

  it('of sessions tell those that were joined to others', async () => {
    const app = await running({})
    const visits = reader(app.app.store(fixture.visits.store).subscribe('s'))
    const at = (minutes: number) => ({ sensor: 's', city: 'Pune', n: 1, at: start + minutes * 60_000 })
    for (const [i, minutes] of [0, 3, 1.5].entries()) {
      await app.send([at(minutes)])
      await app.until(() => visits.seen.length >= [1, 2, 5][i]!)
    }
    const shown = visits.seen.map(({ key, value }) => {
      const { window } = key as { window: { start: number; end: number } }
      return [(window.start - start) / 60_000, (window.end - start) / 60_000, value]
    })
    assert.deepEqual(shown.slice(0, 2), [
      [0, 0, 1],
      [3, 3, 1],
    ])
    assert.deepEqual(shown.slice(2), [
      [0, 0, null],
      [3, 3, null],
      [0, 3, 3],
    ])
  }).timeout(30_000)

  it('give a slow reader the last change of each key', async () => {
    const app = await running({ partitions: 1 })
    const sums = app.app.store(fixture.sums.store)
    const changes = sums.subscribe()[Symbol.asyncIterator]()
    const first = changes.next()
    for (let i = 0; i < 20; i++) {
      await app.send(readings(7, i * 7))
      await app.until(async () => (await sums.get('s6')) === (7 * i * (i + 1)) / 2 + 6 * (i + 1))
    }
    const seen = [(await first).value]
    while (seen.length < 8) seen.push((await changes.next()).value)
    assert.deepEqual(await rowsOf(app.app.store('sums')), left(seen.slice(1) as Seen[]))
    await changes.return?.()
  }).timeout(30_000)

  it('are observables too', async () => {
    const app = await running({})
    const sums = app.app.store(fixture.sums.store)
    const values: unknown[] = []
    let completed = 0
    const subscription = sums.subscribe('s1').subscribe(({ value }) => values.push(value))
    const over = sums
      .subscribe('s1')
      .subscribe({ next: ({ value }) => values.push(value), complete: () => completed++ })
    from(sums.subscribe('s1')).subscribe({ next: ({ value }) => values.push(value), complete: () => completed++ })
    await app.send(readings(2))
    await app.until(() => values.length === 3)
    subscription.unsubscribe()
    assert.equal(subscription.closed, true)
    await app.send(readings(2, 7))
    await app.until(() => values.length === 5)
    assert.deepEqual(values, [1, 1, 1, 9, 9])
    await app.app.close()
    await app.until(() => completed === 2)
    assert.equal(over.closed, true)
  }).timeout(30_000)

  it('are of topics too', async () => {
    const app = await running({})
    const now: unknown[] = []
    const later = app.app.observe<string, number>('sums').subscribe(({ key, value }) => now.push([key, value]))
    const all: unknown[] = []
    await app.send(readings(3))
    const whole = app.app.observe('sums', { from: 'beginning' }).subscribe(({ key, value }) => all.push([key, value]))
    await app.until(() => all.length === 3 && now.length === 3)
    const expected = [
      ['s0', 0],
      ['s1', 1],
      ['s2', 2],
    ]
    for (const seen of [now, all]) assert.deepEqual((seen as unknown[][]).toSorted(), expected)
    later.unsubscribe()
    whole.unsubscribe()
  }).timeout(30_000)

  it('end with their signal, with the app, or with its failure', async () => {
    const app = await running({})
    const sums = app.app.store('sums')
    const stop = new AbortController()
    const stopped = reader(sums.subscribe(undefined, { signal: stop.signal }))
    const closed = reader(sums.subscribe())
    await app.send(readings(1))
    await app.until(() => stopped.seen.length === 1 && closed.seen.length === 1)
    stop.abort()
    await stopped.over
    await app.app.close()
    await closed.over
    await assert.rejects(reader(sums.subscribe()).over, { code: 'DHAARA_APP_STATE' })
  }).timeout(30_000)

  it('refuse what they cannot tell', async () => {
    const app = await running({})
    const rejected = (changes: AsyncIterable<Seen>, says: RegExp) =>
      assert.rejects(reader(changes).over, { code: 'DHAARA_QUERY', message: says })
    await rejected(app.app.store('sums').subscribe(undefined, { from: 'beginning' }), /keeps no past/)
    await rejected(app.app.store('last').subscribe({ prefix: 'a' }), /keeps no order/)
    await rejected(
      app.app.store('sums').subscribe(() => 1),
      /cannot have such a key/,
    )
  }).timeout(30_000)
})
