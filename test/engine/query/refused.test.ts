import assert from 'node:assert/strict'
import { type DhaaraError, embeddedBroker, type ScanOptions, StreamsApp } from '../../../src/index.ts'
import { apps, type Running, readings } from './apps.ts'
import topology from './fixtures/stores.ts'

describe('queries that cannot be answered', () => {
  const running = apps()
  let app: Running
  before(async () => {
    app = await running({})
    await app.send(readings(20))
    await app.until(async () => (await app.app.store('places').count()) === 7)
  })

  const cases: readonly [what: string, code: string, says: RegExp, ask: (of: StreamsApp) => Promise<unknown>][] = [
    [
      'an unknown store',
      'DHAARA_STORE_UNKNOWN',
      /no store 'sum'; the topology has: .*sums/,
      (of) => of.store('sum').get('a'),
    ],
    [
      'a key of windows',
      'DHAARA_QUERY',
      /'hours' cannot be asked for get; .*ask for fetch/,
      (of) => of.store('hours').get('a'),
    ],
    [
      'a range of windows',
      'DHAARA_QUERY',
      /'hours' cannot be asked for range/,
      (of) => of.store('hours').range('a', 'b').toArray(),
    ],
    [
      'windows of rows',
      'DHAARA_QUERY',
      /'sums' cannot be asked for fetch; .*get/,
      (of) => of.store('sums').fetch('a', 0, 1).toArray(),
    ],
    [
      'all windows of rows',
      'DHAARA_QUERY',
      /'sums' cannot be asked for fetchAll/,
      (of) => of.store('sums').fetchAll(0, 1).toArray(),
    ],
    [
      'parts of windows',
      'DHAARA_QUERY',
      /'panes' keeps parts of windows, .*retention/,
      (of) => of.store('panes').fetch('a', 0, 1).toArray(),
    ],
    [
      'sessions since no time',
      'DHAARA_QUERY',
      /NaN is no time/,
      (of) => of.store('visits').fetch('s1', Number.NaN, 1).toArray(),
    ],
    ['a row as of no time', 'DHAARA_QUERY', /noon is no time/, (of) => of.store('sums').asOf('s1', 'noon' as never)],
    [
      'a scan of lists',
      'DHAARA_QUERY',
      /'ids' cannot be asked for a scan; it keeps lists/,
      (of) => of.store('ids').all().toArray(),
    ],
    [
      'order where is none',
      'DHAARA_QUERY',
      /'last' cannot be asked for prefix; its key serde keeps no order/,
      (of) => of.store('last').prefix('a').toArray(),
    ],
    ['a key that is none', 'DHAARA_QUERY', /'sums' cannot have such a key/, (of) => of.store('sums').get(() => 1)],
    ['no time', 'DHAARA_QUERY', /NaN is no time/, (of) => of.store('hours').fetch('a', Number.NaN, 1).toArray()],
    [
      'a limit that is no whole number',
      'DHAARA_QUERY',
      /limit is 1.5; expected a whole number/,
      async (of) => of.store('sums').all({ limit: 1.5 }).toArray(),
    ],
    [
      'a limit that is a text',
      'DHAARA_QUERY',
      /limit is '3'; expected a whole number/,
      async (of) =>
        of
          .store('sums')
          .all({ limit: '3' as never })
          .toArray(),
    ],
    [
      'an isolation that there is not',
      'DHAARA_QUERY',
      /isolation is dirty; expected 'committed' or 'latest'/,
      (of) => of.store('sums').get('s1', { isolation: 'dirty' as never }),
    ],
    ['a limit below 0', 'DHAARA_QUERY', /limit is -1/, async (of) => of.store('sums').all({ limit: -1 }).toArray()],
    [
      'a cursor that is none',
      'DHAARA_QUERY',
      /'x!' is no cursor/,
      (of) => of.store('sums').all({ cursor: 'x!' }).toArray(),
    ],
  ]
  for (const [what, code, says, ask] of cases) {
    it(`say what is wrong with ${what}`, () =>
      assert.rejects(ask(app.app), (error: DhaaraError) => {
        assert.deepEqual([error.code, error.domain], [code, 'user'])
        assert.match(error.message, says)
        return true
      }))
  }

  it('refuse a cursor of the other direction', async () => {
    const scan = app.app.store('sums').all({ limit: 1 })
    await scan.toArray()
    const options: ScanOptions = { reverse: true, cursor: scan.cursor as string }
    await assert.rejects(app.app.store('sums').all(options).toArray(), /in the other direction/)
  })

  it('end with the reason of a signal', async () => {
    const stop = new AbortController()
    const scan = app.app.store('sums').all({ signal: stop.signal })
    stop.abort(new Error('enough'))
    await assert.rejects(scan.toArray(), /enough/)
    await assert.rejects(app.app.store('sums').get('s1', { signal: stop.signal }), /enough/)
  })

  it('say so before an app has begun, and after it has ended', async () => {
    await using broker = embeddedBroker() as ReturnType<typeof embeddedBroker> & AsyncDisposable
    const other = new StreamsApp({ applicationId: 'a', topology, broker })
    const sums = other.store('sums')
    await assert.rejects(sums.get('a'), { code: 'DHAARA_APP_STATE', message: /the app is created; start\(\) it first/ })
    await other.start()
    assert.equal(await sums.get('a'), undefined)
    await other.close()
    await assert.rejects(sums.get('a'), { code: 'DHAARA_APP_STATE', message: /the app is closed/ })
    await assert.rejects(sums.all().toArray(), { code: 'DHAARA_APP_STATE' })
  })
})
