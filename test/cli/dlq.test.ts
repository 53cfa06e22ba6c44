import assert from 'node:assert/strict'
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
    assert.equal(await dlq('replay', '0', '2'), '1 letter replayed\n')
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
