import assert from 'node:assert/strict'
import { cpSync, mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { embeddedBroker, serdes, StreamsApp, StreamsBuilder } from '../../src/index.ts'
import { dhaara, jsonLines, linesOf, orders, shop, start, temporaryFolder } from './dhaara.ts'

const hour = 3_600_000
const midnight = orders(1)[0]?.at as number

describe('dhaara query and reset', () => {
  const folder = temporaryFolder()
  const query = (dir: string, ...args: string[]) => dhaara(['query', ...args, '--dir', folder.path(dir)])
  const rows = async (dir: string, ...args: string[]): Promise<unknown[]> => {
    const { code, out, err } = await query(dir, ...args, '--json')
    assert.deepEqual([code, err], [0, ''])
    return linesOf(out)
  }

  before(async () => {
    const run = ['run', shop, '-i', 'orders=-', '--dir', folder.path('data'), '--until-end']
    const { code, err } = await dhaara(run, jsonLines(orders(100)))
    assert.equal(code, 0, err)
  })

  it('reads stores of each kind from a directory that nobody holds', async () => {
    const row = (key: unknown, value: unknown) => ({ key, value })
    assert.deepEqual(await rows('data', 'spent', 'c1'), [row('c1', 1617)])
    assert.deepEqual(await rows('data', 'spent', 'c9'), [])
    assert.deepEqual(await rows('data', 'spent', '--prefix', 'c', '--limit', '2'), [row('c0', 1683), row('c1', 1617)])
    assert.deepEqual(await rows('data', 'spent', '--from', 'c1', '--to', 'c2'), [row('c1', 1617), row('c2', 1650)])
    assert.deepEqual(await rows('data', 'byDigit', '7'), [row(7, 10)])
    assert.deepEqual(await rows('data', 'byDigit', '--from', '8'), [row(8, 10), row(9, 10)])
    const window = (n: number) => ({ start: midnight + n * hour, end: midnight + (n + 1) * hour })
    const second = new Date(midnight + hour).toISOString()
    assert.deepEqual(await rows('data', 'hours', 'c0', '--from', second), [row({ key: 'c0', window: window(1) }, 14)])
    assert.equal((await rows('data', 'hours')).length, 6)
    const [ids] = (await rows('data', 'ids', 'c2')) as { key: string; value: number[] }[]
    assert.deepEqual(ids?.value.slice(0, 3), [2, 5, 8])
  }).timeout(60_000)

  it('finds rows by an index', async () => {
    assert.deepEqual(await rows('data', 'spent', 'odd', '--by', 'parity'), [
      { key: 'c0', value: 1683 },
      { key: 'c1', value: 1617 },
    ])
    assert.deepEqual(await rows('data', 'spent', 'odd', '--by', 'parity', '--limit', '1'), [{ key: 'c0', value: 1683 }])
    assert.deepEqual(await rows('data', 'spent', 'neither', '--by', 'parity'), [])
    assert.deepEqual(await rows('data', 'spent', `1617${'0'.repeat(18)}`, '--by', 'grains'), [
      { key: 'c1', value: 1617 },
    ])
    assert.deepEqual(await rows('data', 'spent', `1617${'0'.repeat(17)}1`, '--by', 'grains'), [])
  }).timeout(60_000)

  it('writes tables and CSV', async () => {
    assert.equal((await query('data', 'spent', 'c9')).out, 'no rows\n')
    assert.equal(
      (await query('data', 'spent')).out,
      ['key  value', '---  -----', 'c0    1683', 'c1    1617', 'c2    1650', ''].join('\n'),
    )
    const iso = (n: number): string => new Date(midnight + n * hour).toISOString()
    assert.equal(
      (await query('data', 'hours', 'c1', '--to', String(midnight), '--format', 'csv')).out,
      `key,window start,window end,value\nc1,${iso(0)},${iso(1)},20\n`,
    )
  }).timeout(60_000)

  it('asks the app that runs', async () => {
    const app = start(['run', shop, '-i', 'orders=-', '-o', 'spent=-', '--dir', folder.path('running')])
    app.child.stdin.write(jsonLines(orders(9)))
    await app.line(/"key":"c2","value":15/)
    assert.deepEqual(await rows('running', 'spent', 'c2'), [{ key: 'c2', value: 15 }])
    assert.deepEqual(await rows('running', 'spent', 'even', '--by', 'parity'), [{ key: 'c1', value: 12 }])
    const unknown = await query('running', 'spend')
    assert.match(unknown.err, /DHAARA_STORE_UNKNOWN: there is no store 'spend'; the topology has: .*spent/)
    assert.equal(unknown.code, 2)
    const held = await dhaara(['reset', '--dir', folder.path('running'), '--yes'])
    assert.deepEqual([held.code, /DHAARA_STATE_LOCKED/.test(held.err)], [1, true])
    app.child.kill('SIGINT')
    await app.ended
  }).timeout(60_000)

  it('asks apps that run in a program of their own, by name where there are several', async () => {
    await using broker = embeddedBroker({ dir: folder.path('own') })
    const builder = new StreamsBuilder()
    builder
      .stream('in', { key: serdes.string(), value: serdes.number(), nullKeys: 'drop' })
      .groupBy((n) => new Date(n))
      .count({ store: 'times' })
    const topology = builder.build()
    await using app = new StreamsApp({ applicationId: 'one', topology, broker, checkpointInterval: '10ms' })
    await app.start()
    await using producer = broker.producer('in', { key: serdes.string(), value: serdes.number() })
    await producer.send({ key: 'a', value: 86_400_000 })
    while ((await app.store('times').count()) === 0) await setImmediate()
    const key = '1970-01-02T00:00:00.000Z'
    assert.deepEqual(await rows('own', 'times', key), [{ key, value: 1 }])
    assert.deepEqual(await rows('own', 'times', '--from', '1970-01-02', '--to', '1970-01-03'), [{ key, value: 1 }])
    await using other = new StreamsApp({ applicationId: 'other', topology, broker })
    await other.start()
    const which = await query('own', 'times')
    assert.equal(which.code, 2)
    assert.match(which.err, /DHAARA_OPTION: .* runs one, other; name one by --application-id/)
    assert.deepEqual(await rows('own', 'times', '--application-id', 'one'), [{ key, value: 1 }])
    await other.close()
    mkdirSync(folder.path('kept'))
    const saved = await dhaara(['savepoint', 'create', folder.path('kept/own'), '--dir', folder.path('own')])
    assert.equal(saved.code, 0, saved.err)
    await app.close()
    const none = await query('own', 'times')
    assert.match(none.err, /DHAARA_OPTION: .* runs no app; name one by --application-id/)
  }).timeout(60_000)

  it('says what it cannot be asked', async () => {
    const wrong: readonly [args: readonly string[], says: RegExp][] = [
      [['spend'], /DHAARA_STORE_UNKNOWN: there is no store 'spend'; the topology has: .*spent/],
      [['hours', '--prefix', 'c'], /DHAARA_QUERY: store 'hours' cannot be asked for prefix; its keys have windows/],
      [['hours', '--from', 'noon'], /DHAARA_OPTION: 'noon' is no time; give epoch milliseconds/],
      [['ids'], /DHAARA_QUERY: store 'ids' cannot be asked for a scan; it keeps lists: ask for get/],
      [['spent', '--url', 'http://127.0.0.1:1'], /DHAARA_OPTION: found both --dir and --url; say one place/],
      [['spent', '--application-id', 'x'], /DHAARA_OPTION: the directory has the apps fixtures; there is no 'x'/],
      [['spent', 'odd', '--by', 'sum'], /DHAARA_QUERY: store 'spent' cannot be asked for by\('sum'\); it has parity/],
      [['spent', '--by', 'parity'], /DHAARA_OPTION: found --by parity without a value; give it in the place of a key/],
      [['hours', 'odd', '--by', 'parity'], /DHAARA_OPTION: .* a store of windows, which has no indexes/],
      [['spent', '--limit', '0'], /Found '0'; expected a whole number from 1/],
      [['spent', '--module', 'none.ts'], /DHAARA_MODULE: there is no /],
    ]
    for (const [args, says] of wrong) {
      const { code, out, err } = await query('data', ...args)
      assert.match(err, says)
      assert.deepEqual([code, out], [2, ''])
    }
  }).timeout(60_000)

  it('copies the state of an app out, and in again', async () => {
    const dir = folder.path('saved')
    cpSync(folder.path('data'), dir, { recursive: true })
    const savepoint = (...args: string[]) => dhaara(['savepoint', ...args])
    const path = folder.path('savepoints/monday')
    const made = await savepoint('create', path, '--dir', dir)
    assert.equal(made.code, 0, made.err)
    assert.match(made.out, /monday: fixtures, \d{4}-.*Z, \d+ stores, \d+ rows\n$/)
    const listed = await savepoint('list', resolve(path, '..'), '--json')
    assert.equal((JSON.parse(listed.out) as { app: string }).app, 'fixtures')
    const refused = await savepoint('restore', path, '--dir', dir)
    assert.deepEqual([refused.code, /DHAARA_SAVEPOINT: .*dhaara reset/.test(refused.err)], [2, true])
    const before = await rows('saved', 'spent')
    assert.equal((await dhaara(['reset', '--dir', dir, '--yes'])).code, 0)
    assert.equal((await savepoint('restore', path, '--dir', dir)).code, 0)
    const again = await dhaara(['run', resolve(shop), '--dir', dir, '-o', 'spent=-', '--until-end'])
    assert.equal(again.code, 0, again.err)
    assert.deepEqual(await rows('saved', 'spent'), before)
  }).timeout(60_000)

  it('drops the state of an app, and it begins anew', async () => {
    const dir = folder.path('reset')
    cpSync(folder.path('data'), dir, { recursive: true })
    const reset = (...more: string[]) => dhaara(['reset', '--dir', dir, ...more])
    const shown = await reset()
    assert.equal(shown.code, 0, shown.err)
    assert.match(shown.out, /^'fixtures' would lose:\n[\s\S]* {2}store spent: 3 rows\n[\s\S]*Say --yes/)
    assert.equal((await rows('reset', 'spent')).length, 3)

    const typo = await reset('--topic', 'spend', '--yes')
    assert.deepEqual([typo.code, /there is no topic spend; there are: .*spent/.test(typo.err)], [2, true])
    const done = JSON.parse((await reset('--topic', 'spent', '--yes', '--json')).out) as Record<string, object>
    assert.deepEqual([done.app, done.done, done.topics], ['fixtures', true, { spent: 100 }])
    assert.match((await query('reset', 'spent')).err, /the directory has no app/)

    const again = await dhaara(['run', resolve(shop), '--dir', dir, '-o', 'spent=-', '--until-end'])
    assert.equal(again.code, 0, again.err)
    assert.match(again.err, /^100 records in/m)
    assert.deepEqual(linesOf(again.out).at(-1), { key: 'c0', value: 1683, timestamp: orders(100)[99]?.at })
  }).timeout(60_000)
})
