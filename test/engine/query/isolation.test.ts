import assert from 'node:assert/strict'
import { temporaryDirectories } from '../../connectors/embedded/backends.ts'
import { apps, type Running, readings, start } from './apps.ts'
import * as fixture from './fixtures/stores.ts'

describe('query isolation', () => {
  const running = apps()
  const directory = temporaryDirectories()
  const processed = (app: Running, n: number) =>
    app.until(async () => (await app.app.store(fixture.sums.store).get('s0', { isolation: 'latest' })) === n)

  for (const workers of [0, 2]) {
    it(`committed shows checkpoints alone, latest what was done since (${workers} workers)`, async () => {
      const dir = directory()
      {
        await using app = await running({ dir, workers, checkpointInterval: '1d' })
        const sums = app.app.store(fixture.sums.store)
        await app.send(readings(8))
        await processed(app, 7)
        // the other worker may be behind the one that has s0
        await app.until(async () => (await sums.all({ isolation: 'latest' }).toArray()).length === 7)
        assert.equal(await sums.get('s0'), undefined)
        assert.deepEqual(await sums.all().toArray(), [])
      }
      await using app = await running({ dir, workers, checkpointInterval: '1d' })
      const sums = app.app.store(fixture.sums.store)
      assert.equal(await sums.get('s0'), 7)
      // processors have not asked for their stores yet
      const latest = { isolation: 'latest' } as const
      assert.deepEqual(await app.app.store(fixture.ids).get('s0', latest), [0, 7])
      assert.equal((await app.app.store('last').all(latest).toArray()).length, 7)
      await app.send(readings(7, 8))
      await processed(app, 21)
      assert.equal(await sums.get('s0'), 7)
      assert.equal(await app.app.store(fixture.hours.store).count(), 7)
    }).timeout(30_000)
  }

  it('a committed scan sees one checkpoint, however long it takes', async () => {
    await using app = await running({})
    // more than a page in each partition
    const wide = readings(3000).map((reading, i) => ({ ...reading, sensor: `s${i}` }))
    await app.send(wide)
    const sums = app.app.store(fixture.sums.store)
    await app.until(async () => (await sums.count()) === 3000)
    const scan = sums.all()[Symbol.asyncIterator]()
    const seen = [(await scan.next()).value]
    await app.send(wide.map((reading) => ({ ...reading, n: 1_000_000 })))
    await app.until(async () => (await sums.get('s2999')) === 1_002_999)
    for (let next = await scan.next(); !next.done; next = await scan.next()) seen.push(next.value)
    assert.equal(seen.length, 3000)
    assert.ok(seen.every((row) => row !== undefined && row[1] < 1_000_000))
    assert.ok((await sums.all().toArray()).every(([, n]) => n >= 1_000_000))
  }).timeout(30_000)

  it('tasks go on while a long scan is read', async () => {
    await using app = await running({})
    await app.send(readings(3000).map((reading, i) => ({ ...reading, sensor: `s${i}` })))
    const sums = app.app.store(fixture.sums.store)
    await app.until(async () => (await sums.count()) === 3000)
    const before = app.app.metrics()['recordsIn'] ?? 0
    const scan = sums.all()[Symbol.asyncIterator]()
    await scan.next()
    await app.send(readings(1000, 3000))
    let during = 0
    for (let next = await scan.next(); !next.done; next = await scan.next())
      during = Math.max(during, (app.app.metrics()['recordsIn'] ?? 0) - before)
    assert.ok(during > 0)
  }).timeout(30_000)

  it('a scan that is left early lets go of its snapshot, and may be taken up again', async () => {
    await using app = await running({})
    await app.send(readings(100))
    const places = app.app.store(fixture.places.store)
    await app.until(async () => (await places.count()) === 7)
    const scan = places.all()
    assert.equal(scan.cursor, undefined)
    for await (const [key] of scan) if (key[0] === 'Goa') break
    const rest = await places.all(scan.cursor === undefined ? {} : { cursor: scan.cursor }).toArray()
    const all = await places.all().toArray()
    assert.equal(all.length, 7)
    assert.deepEqual(rest, all.slice(all.findIndex(([key]) => key[0] === 'Goa') + 1))
    // once more from the start
    assert.deepEqual(await scan.toArray(), all)
    assert.equal(scan.cursor, undefined)
    assert.equal(start, readings(1)[0]?.at)
  }).timeout(30_000)
})
