import assert from 'node:assert/strict'
import { tableFromIPC } from 'apache-arrow'
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { customers, shop } from '../http/shop.ts'
import { dhaara, linesOf, start } from './dhaara.ts'

describe('dhaara and an app that is served', () => {
  let app: Awaited<ReturnType<typeof shop>>
  before(async function () {
    this.timeout(60_000)
    app = await shop({ port: 0, token: 'secret' })
    await app.send(customers(30))
    while ((await app.app.store('customers').count()) < 30) await new Promise(setImmediate)
  })
  after(() => app[Symbol.asyncDispose]())
  const served = () => ['--url', app.url, '--token', 'secret']
  const query = async (...args: string[]): Promise<unknown[]> => {
    const { code, out, err } = await dhaara(['query', 'customers', ...args, ...served(), '--json'])
    assert.deepEqual([code, err], [0, ''])
    return linesOf(out)
  }

  it('asks for rows over HTTP as it does in a directory', async () => {
    const [, one] = customers(2)
    assert.deepEqual(await query('c1'), [{ key: 'c1', value: one }])
    assert.deepEqual(await query('nobody'), [])
    const keys = (rows: unknown[]) => rows.map((row) => (row as { key: string }).key)
    assert.deepEqual(keys(await query('--prefix', 'c2', '--limit', '3')), ['c2', 'c20', 'c21'])
    assert.deepEqual(keys(await query('--from', 'c8', '--to', 'c9')), ['c8', 'c9'])
    const { code, err } = await dhaara(['query', 'orders', ...served()])
    assert.equal(code, 2)
    assert.match(err, /no store 'orders'; the topology has: customers/)
    const wrong = await dhaara(['query', 'customers', '--url', app.url, '--token', 'guess'])
    assert.match(wrong.err, /another token/)
    const nobody = await dhaara(['query', 'customers', '--url', 'http://127.0.0.1:9'])
    assert.match(nobody.err, /nobody answers at http:\/\/127\.0\.0\.1:9/)
  }).timeout(120_000)

  it('finds rows by an index, on as many pages as they take', async () => {
    const goa = await query('Goa', '--by', 'byCity')
    assert.deepEqual(
      goa.map((row) => (row as { key: string }).key),
      customers(30)
        .filter(({ city }) => city === 'Goa')
        .map(({ name }) => name)
        .toSorted(),
    )
    assert.deepEqual(await query('Goa', '--by', 'byCity', '--limit', '2'), goa.slice(0, 2))
    const { code, err } = await dhaara(['query', 'customers', 'Goa', '--by', 'byAge', ...served()])
    assert.equal(code, 2)
    assert.match(err, /it has byCity/)
  }).timeout(60_000)

  it('writes Arrow', async () => {
    const args = [resolve('src/cli/main.ts'), 'query', 'customers', '--limit', '100', '--format', 'arrow', ...served()]
    const child = spawn(resolve('node_modules/.bin/node'), args)
    const table = tableFromIPC(Buffer.concat(await Array.fromAsync(child.stdout as AsyncIterable<Buffer>)))
    assert.equal(table.numRows, 30)
    assert.deepEqual(table.get(0)?.toJSON(), { key: 'c0', ...customers(1)[0], rest: null })
  }).timeout(60_000)

  it('tells rows as they change, until it is interrupted', async () => {
    const { child, ended, line } = start(['query', 'customers', 'c3', '--watch', ...served()])
    assert.equal((JSON.parse(await line(/"c3"/)) as { value: { age: number } }).value.age, 23)
    const next = line(/"age":99/)
    await app.send([{ name: 'c3', city: 'Goa', age: 99, since: 0 }])
    await next
    child.kill('SIGINT')
    assert.equal((await ended).code, 0)
  }).timeout(60_000)

  it('shows in top what runs how fast, and which partition is behind', async () => {
    const { code, out, err } = await dhaara(['top', '--once', ...served()])
    assert.deepEqual([code, err], [0, ''])
    assert.match(out, /^shop {2}running {2}up /)
    for (const name of ['STEP', 'customers', 'known', 'INPUT', 'customers/0', 'customers/1'])
      assert.ok(out.includes(name), out)
  }).timeout(60_000)

  it('refuses options of which one would be left out', async () => {
    for (const [args, says] of [
      [['--at', '5'], /--at without a key/],
      [['c1', '--prefix', 'c'], /a key and --prefix/],
      [['c1', '--from', 'c'], /a key and --from/],
      [['--prefix', 'c', '--to', 'd'], /--prefix and --from/],
      [['Goa', '--by', 'byCity', '--prefix', 'c'], /--by and --prefix/],
      [['Goa', '--by', 'byCity', '--watch'], /--watch follows/],
      [['--watch', '--from', 'c'], /--watch follows/],
    ] as const) {
      const { code, err } = await dhaara(['query', 'customers', ...args, ...served()])
      assert.equal(code, 2)
      assert.match(err, says)
    }
  }).timeout(120_000)

  it('gives as many rows as were asked for, more than a page has too', async () => {
    const n = 10_050
    await app.send(customers(n))
    while ((await app.app.store('customers').count()) < n) await new Promise(setImmediate)
    assert.equal((await query('--limit', String(n - 10))).length, n - 10)
  }).timeout(120_000)

  it('takes a key that is JSON too for a text first, and index values for what the index has', async () => {
    const [, second] = customers(2)
    const row = { key: 'c1', value: second }
    assert.deepEqual(await query('1970-01-01T00:00:01.000Z', '--by', 'since'), [row])
    assert.deepEqual(await query('1000', '--by', 'since'), [row])
    const numbered = { name: '42', city: 'Bhuj', age: 1, since: 0 }
    await app.send([numbered])
    while ((await app.app.store('customers').get('42')) === undefined) await new Promise(setImmediate)
    for (const args of [['42'], ['"42"'], ['--prefix', '4'], ['--from', '40', '--to', '45']])
      assert.deepEqual(await query(...args), [{ key: '42', value: numbered }], args.join(' '))
    assert.deepEqual(await query('43'), [])
  }).timeout(60_000)
})
