import assert from 'node:assert/strict'
import { emitSpec, joinWindowVault, windowVault } from '../../../src/dsl/windows/index.ts'
import { every, joinWindows, windows } from '../../../src/index.ts'
import { refusal } from '../plan.ts'

const open = (given: unknown) => windowVault.open(given)
const event = { grace: 0, clock: 'event', offset: 0 }

describe('windows', () => {
  it('tumbling', () => {
    const size = 3_600_000
    assert.deepEqual(open(windows.tumbling('1h', { offset: '30m' }).grace('5m')), {
      ...event,
      kind: 'tumbling',
      size,
      advance: size,
      offset: 1_800_000,
      grace: 300_000,
    })
  })

  it('tumbling by the calendar of a zone', () => {
    const { size, advance, timeZone } = open(windows.tumbling('2M', { timeZone: 'Asia/Kolkata' }).noGrace()) as any
    assert.deepEqual([size, advance, timeZone], [{ count: 2, unit: 'M' }, { count: 2, unit: 'M' }, 'Asia/Kolkata'])
    assert.equal((open(windows.tumbling('1h', { timeZone: 'Asia/Kolkata' }).noGrace()) as any).size, 3_600_000)
    assert.deepEqual((open(windows.tumbling('1d', { timeZone: 'UTC' }).noGrace()) as any).size, { count: 1, unit: 'd' })
    assert.equal((open(windows.tumbling('1d').noGrace()) as any).size, 86_400_000)
  })

  it('hopping', () => {
    const spec = { ...event, kind: 'hopping', size: 900_000, advance: 300_000 }
    assert.deepEqual(open(windows.hopping('15m', { advance: '5m' }).noGrace()), spec)
  })

  it('cumulative', () => {
    const spec = { ...event, kind: 'cumulative', max: 86_400_000, step: 3_600_000 }
    assert.deepEqual(open(windows.cumulative('1d', { step: '1h' }).noGrace()), spec)
  })

  it('sliding, session, count, unlimited', () => {
    assert.deepEqual(open(windows.sliding('10m').grace(7)), {
      kind: 'sliding',
      difference: 600_000,
      grace: 7,
      clock: 'event',
    })
    assert.deepEqual(open(windows.session('5s').grace('1s')), {
      kind: 'session',
      gap: 5000,
      grace: 1000,
      clock: 'event',
    })
    assert.deepEqual(open(windows.count(100)), { kind: 'count', records: 100 })
    assert.deepEqual(open(windows.unlimited()), { kind: 'unlimited' })
    const gap = () => '5s' as const
    assert.equal((open(windows.session(gap).noGrace()) as any).gap, gap)
  })

  it('wall-clock windows are usable at once', () => {
    assert.deepEqual(
      [(open(windows.tumbling('1m', { clock: 'wall' })) as any).clock, windows.count(1).kind],
      ['wall', 'count'],
    )
    assert.equal((open(windows.session('1m', { clock: 'wall' })) as any).clock, 'wall')
  })

  it('are not usable without a grace', () => {
    assert.throws(() => open(windows.tumbling('1h')), refusal('DHAARA_OPTION', /expected windows with a grace/))
    assert.throws(() => open({ kind: 'tumbling' }), refusal('DHAARA_OPTION', /Found an object of Object/))
  })

  it('refuse values that make no window', () => {
    assert.throws(() => windows.tumbling(0), refusal('DHAARA_DURATION', /windows.tumbling size.*at least 1 ms/))
    assert.throws(() => windows.tumbling('1M' as never), refusal('DHAARA_DURATION', /add \{timeZone/))
    assert.throws(() => windows.tumbling('0M', { timeZone: 'UTC' }), refusal('DHAARA_DURATION', /at least one unit/))
    assert.throws(() => windows.tumbling('1h', { timeZone: 'Asia/Klkta' }), refusal('DHAARA_OPTION', /"Asia\/Klkta"/))
    assert.throws(() => windows.hopping('5m', { advance: '6m' }), refusal('DHAARA_OPTION', /at most the size/))
    assert.throws(() => windows.hopping('5m', {} as never), refusal('DHAARA_DURATION', /advance: found undefined/))
    assert.throws(() => windows.cumulative('1h', { step: '7m' }), refusal('DHAARA_OPTION', /one that divides max/))
    assert.throws(() => windows.count(0), refusal('DHAARA_OPTION', /windows.count: found 0/))
    assert.throws(() => windows.tumbling('1h').grace(-1), refusal('DHAARA_DURATION', /grace/))
  })
})

describe('joinWindows', () => {
  it('reach to both sides unless told otherwise', () => {
    const spec = joinWindowVault.open(joinWindows.of('10m').grace('1m'))
    assert.deepEqual(spec, { before: 600_000, after: 600_000, grace: 60_000 })
  })

  it('each call gives new ones', () => {
    const base = joinWindows.of(10)
    const narrow = base.before(1).after(2)
    assert.deepEqual(joinWindowVault.open(narrow.noGrace()), { before: 1, after: 2, grace: 0 })
    assert.deepEqual(joinWindowVault.open(base.noGrace()), { before: 10, after: 10, grace: 0 })
  })

  it('are not usable without a grace', () => {
    assert.throws(() => joinWindowVault.open(joinWindows.of(10)), refusal('DHAARA_OPTION', /join windows with a grace/))
  })
})

describe('emit modes', () => {
  it('every', () => {
    assert.deepEqual(emitSpec(every('1m', { clock: 'wall' }), { kind: 'count', records: 1 }), {
      mode: 'every',
      interval: 60_000,
      clock: 'wall',
    })
  })

  it('are refused where nothing closes the windows', () => {
    assert.throws(() => emitSpec('close', { kind: 'unlimited' }), refusal('DHAARA_OPTION', /one of update$/))
    assert.throws(() => emitSpec('often', { kind: 'unlimited' }), refusal('DHAARA_OPTION', /found "often"/))
    assert.throws(() => every(0), refusal('DHAARA_DURATION', /every/))
  })
})
