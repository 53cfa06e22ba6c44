import assert from 'node:assert/strict'
import type { HttpOptions } from '../../src/http/index.ts'
import { shop } from '../http/shop.ts'
import { dhaara, linesOf, temporaryFolder } from './dhaara.ts'

const topology = `
import { StreamsBuilder, serdes } from '${new URL('../../src/index.ts', import.meta.url).href}'
const builder = new StreamsBuilder()
builder
  .stream('numbers', { key: serdes.string(), value: serdes.json() })
  .mapValues((n) => {
    if (n % 2 === 1 && process.env.STRICT !== 'no') throw new RangeError(n + ' is odd')
    return n * 2
  }, { name: 'double' })
  .to('doubled', { key: serdes.string(), value: serdes.json() })
export default builder.build()
export const options = { applicationId: 'numbers', errors: { user: 'deadLetter' } }
`

describe('dhaara dlq', () => {
  const folder = temporaryFolder()
  const dlq = async (...args: string[]) => {
    const { code, out, err } = await dhaara(['dlq', ...args, '--dir', folder.path('data')])
    assert.equal(code, 0, err)
    return out
  }

  it('lists, shows, replays and drops', async () => {
    const module = folder.write('numbers.ts', topology)
    const clean = await dhaara(['run', module, '-i', 'numbers=-', '--dir', folder.path('clean'), '--until-end'], '2\n')
    assert.equal(clean.code, 0, clean.err)
    for (const [args, says] of [
      [['list'], 'no letters\n'],
      [['replay', '--all'], '0 letters replayed\n'],
    ] as const) {
      const { code, out, err } = await dhaara(['dlq', ...args, '--dir', folder.path('clean')])
      assert.deepEqual([code, out, err], [0, says, ''])
    }
    for (const what of ['show', 'replay', 'drop']) {
      const { code, out, err } = await dhaara(['dlq', what, '0', '--dir', folder.path('clean')])
      assert.match(err, /there is no dead letter 0; there are none/)
      assert.deepEqual([code, out], [2, ''])
    }
    const run = () => ['run', module, '-i', 'numbers=-', '-o', 'doubled=-', '--dir', folder.path('data'), '--until-end']
    const first = await dhaara(run(), '1\n2\n3\n4\n5\n')
    assert.equal(first.code, 0, first.err)
    assert.deepEqual(
      linesOf(first.out).map((row) => (row as { value: number }).value),
      [4, 8],
    )

    const letters = linesOf(await dlq('list', '--json')) as {
      offset: number
      message: string
      value: number
      step: string
    }[]
    assert.deepEqual(
      letters.map(({ value, step }) => [value, step]),
      [
        [5, 'double'],
        [3, 'double'],
        [1, 'double'],
      ],
    )
    assert.match(
      await dlq('list', '--message', '3 is odd'),
      /^ +1 {2}\d{4}-.*open {6}double {2}numbers\/0@2 {2}.*3 is odd\n$/,
    )
    const shown = await dlq('show', '0')
    assert.match(shown, /^letter +0 \(open\)\n/)
    assert.match(shown, /RangeError: 1 is odd\n\s+at .*numbers\.ts:\d+/)

    const none = await dhaara(['dlq', 'replay', '--dir', folder.path('data')])
    assert.match(none.err, /give offsets, a filter, or --all/)
    assert.equal(await dlq('drop', '2'), '1 letter dropped\n')
    assert.equal(await dlq('replay', '0', '2'), '1 letter replayed\nletter 2 was not: it was dropped before\n')
    for (const [args, known] of [
      [['replay', '1', '3'], /^error DHAARA_QUERY: there is no dead letter 3; there are: 0, 1, 2$/m],
      [['drop', '7'], /there is no dead letter 7; there are: 0, 1, 2$/m],
      [['show', '3'], /there is no dead letter 3; there are: 0, 1, 2$/m],
    ] as const) {
      const { code, out, err } = await dhaara(['dlq', ...args, '--dir', folder.path('data')])
      assert.match(err, known)
      assert.deepEqual([code, out], [2, ''])
    }
    assert.equal(await dlq('replay', '--step', 'double'), '1 letter replayed\n')
    assert.equal(await dlq('replay', '--all'), '0 letters replayed\n')
    assert.equal(await dlq('list'), 'no letters\n')
    assert.deepEqual(
      (linesOf(await dlq('list', '--state', 'all', '--json')) as { state: string }[]).map(({ state }) => state),
      ['dropped', 'replayed', 'replayed'],
    )
    const { out } = await dhaara(['consume', 'numbers', '--dir', folder.path('data'), '--headers'])
    const replayed = (linesOf(out) as { value: unknown; headers?: Record<string, string> }[]).slice(5)
    assert.deepEqual(
      replayed.map(({ value, headers }) => [value, headers?.['dhaara-replayed']]),
      [
        [1, 'numbers-dead-letters/0'],
        [3, 'numbers-dead-letters/1'],
      ],
    )
  }).timeout(180_000)
})

describe('dhaara dlq and an app that is served', () => {
  const nobody = { name: 'nobody', city: 'Pune', age: 1, since: 0 }
  const aside = async (http: HttpOptions, n: number) => {
    const app = await shop(http)
    await app.send(new Array<typeof nobody>(n).fill(nobody))
    while ((app.app.metrics()['known.failed'] ?? 0) < n) await new Promise(setImmediate)
    return app
  }

  it('lists, shows, replays and drops as in a directory', async () => {
    await using app = await aside({ port: 0, admin: true, token: 'secret' }, 5)
    const dlq = async (...args: string[]) => {
      const { code, out, err } = await dhaara(['dlq', ...args, '--url', app.url, '--token', 'secret'])
      assert.deepEqual([code, err], [0, ''])
      return out
    }
    const offsets = async (...args: string[]) =>
      (linesOf(await dlq('list', '--json', ...args)) as { offset: number }[]).map(({ offset }) => offset)
    assert.deepEqual(await offsets(), [4, 3, 2, 1, 0])
    assert.deepEqual(await offsets('--limit', '2'), [4, 3])
    assert.deepEqual(await offsets('--step', 'unknown'), [])
    const shown = await dlq('show', '1')
    assert.match(shown, /^letter +1 \(open\)\nwhen +\d{4}-.*\nstep +known\n/)
    assert.ok(shown.includes(JSON.stringify(nobody)), shown)
    assert.equal(await dlq('drop', '1', '2'), '2 letters dropped\n')
    assert.match(await dlq('show', '1'), /^letter +1 \(dropped\)\n/)
    assert.equal(await dlq('drop', '--message', 'no customer'), '3 letters dropped\n')
    for (const what of ['show', 'drop', 'replay']) {
      const { code, out, err } = await dhaara(['dlq', what, '99', '--url', app.url, '--token', 'secret'])
      assert.deepEqual([code, out], [2, ''])
      assert.match(err, /there is no dead letter 99; there are: 0, 1, 2, 3, 4$/m)
    }
    await app.send([nobody])
    while ((app.app.metrics()['known.failed'] ?? 0) < 6) await new Promise(setImmediate)
    assert.equal(await dlq('replay', '--all'), '1 letter replayed\n')
  }).timeout(120_000)

  it('says what the app does not let it do, and which options do not go together', async () => {
    await using app = await aside({ port: 0 }, 1)
    for (const [args, says] of [
      [['replay', '--all', '--url', app.url], /read-only.*http: \{admin: true\}/],
      [['drop', '0', '--url', app.url], /read-only/],
      [['list', '--url', app.url, '--letters', 'shop-dead-letters'], /leave out --letters/],
      [['list', '--url', app.url, '--dir', '.'], /dlq needs --dir, --url or --brokers, one of them/],
      [['list'], /dlq needs --dir, --url or --brokers, one of them/],
      [['list', '--url', 'http://127.0.0.1:9'], /nobody answers at http:\/\/127\.0\.0\.1:9/],
    ] as const) {
      const { code, out, err } = await dhaara(['dlq', ...args])
      assert.match(err, says)
      assert.deepEqual([code, out], [2, ''])
    }
  }).timeout(120_000)
})
