import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { generate as orders } from '../../examples/flipkart/generator.ts'
import { generateTaps, generateTrains } from '../../examples/mumbai-local/generator.ts'
import { generate as watching } from '../../examples/hotstar/generator.ts'
import { generate as trading } from '../../examples/nse/generator.ts'
import { flipkartModel } from './flipkart-model.ts'
import { mumbaiLocalModel } from './mumbai-local-model.ts'
import { nseModel } from './nse-model.ts'

const MINUTE = 60_000

describe('examples: generators', () => {
  it('give the same bytes for the same parameters', () => {
    const digest = (events: Iterable<object>) => {
      const hash = createHash('sha256')
      for (const event of events) hash.update(`${JSON.stringify(event)}\n`)
      return hash.digest('hex').slice(0, 16)
    }
    assert.deepEqual(
      [
        orders({ count: 5000 }),
        generateTaps({ count: 5000 }),
        generateTrains({ count: 5000 }),
        trading({ count: 5000 }),
        watching({ count: 5000 }),
      ].map(digest),
      ['9663272562df7c9e', 'e3420c79e4acb127', 'f8c144a9058d0fac', 'd5f4061354bca4bd', '0b21265b6a76139c'],
    )
    assert.notEqual(digest(orders({ count: 100, seed: 2 })), digest(orders({ count: 100 })))
  })

  for (const count of [0, 1, 2, 7, 2000]) {
    it(`make exactly ${count} events`, () => {
      assert.equal([...orders({ count })].length, count)
      assert.equal([...generateTaps({ count })].length, count)
      assert.equal([...trading({ count })].length, count)
      assert.equal([...watching({ count })].length, count)
    })
  }

  it('move events in the order of arrival and change nothing else', () => {
    const ids = (events: Iterable<object>) => [...events].map((event) => JSON.stringify(event)).sort()
    assert.deepEqual(ids(orders({ count: 3000 })), ids(orders({ count: 3000, late: 0, disorder: 0 })))
    assert.deepEqual(ids(generateTaps({ count: 3000 })), ids(generateTaps({ count: 3000, late: 0.3, disorder: 0 })))
    assert.deepEqual(ids(trading({ count: 3000 })), ids(trading({ count: 3000, late: 0, disorder: 0 })))
    assert.deepEqual(ids(watching({ count: 3000 })), ids(watching({ count: 3000, late: 0, disorder: 0 })))
  })

  it('keep the order of time without late and disordered events', () => {
    for (const events of [
      orders({ count: 3000, late: 0, disorder: 0 }),
      generateTaps({ count: 3000, late: 0, disorder: 0 }),
      trading({ count: 3000, late: 0, disorder: 0 }),
      watching({ count: 3000, late: 0, disorder: 0 }),
    ]) {
      const times = [...events].map((event) => event.timestamp)
      assert.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
      )
    }
  })

  it('keep disorder within the bound', () => {
    assert.equal(behindWatermark(orders({ count: 20_000, late: 0, disorder: 0.5 }), MINUTE / 2), 0)
    assert.equal(behindWatermark(generateTaps({ count: 20_000, late: 0, disorder: 0.5 }), 2 * MINUTE), 0)
    assert.equal(behindWatermark(trading({ count: 20_000, late: 0, disorder: 0.5 }), 5000), 0)
    assert.equal(behindWatermark(watching({ count: 20_000, late: 0, disorder: 0.5 }), 10_000), 0)
  })

  it('make about as many late events as they are told', () => {
    const late = behindWatermark(orders({ count: 20_000, late: 0.1, disorder: 0 }), MINUTE / 2)
    assert.ok(late > 1600 && late < 2200, `${late} of 2000`)
  })

  it('put trains into the order of their arrival', () => {
    const arrivals = Array.from(generateTrains({ count: 5000 }), (train) => train.arrivedAt)
    assert.deepEqual(
      arrivals,
      arrivals.toSorted((a, b) => a - b),
    )
  })

  it('fire every rule of the sale with 20,000 events', () => {
    const rows = flipkartModel([...orders({ count: 20_000 })])
    assert.deepEqual(valuesOf(rows['flipkart-alerts'], 'type'), [
      'high_demand_city',
      'high_demand_product',
      'high_value_new_customer',
      'low_stock',
      'peak_traffic',
      'rapid_orders',
      'remote_delivery',
      'top_seller',
      'trending_category',
      'vip_customer',
    ])
    const factors = rows['flipkart-fraud']?.flatMap(({ value }) => (value as { factors: string[] }).factors)
    assert.equal(new Set(factors).size, 4)
    assert.ok((rows['flipkart-late']?.length ?? 0) > 10)
    assert.equal(rows['flipkart-status-counts']?.length, 4)
    assert.deepEqual(valuesOf(rows['flipkart-category-trends'], 'trending'), ['false', 'true'])
  })

  it('fire every rule of the trains with 60,000 taps', () => {
    const rows = mumbaiLocalModel([...generateTaps({ count: 60_000 })], [...generateTrains({ count: 60_000 })])
    assert.deepEqual(valuesOf(rows['local-hourly'], 'class'), ['BUSY', 'NORMAL', 'PEAK', 'QUIET'])
    assert.deepEqual(valuesOf(rows['local-rolling'], 'trend'), ['falling', 'rising', 'stable'])
    assert.deepEqual(valuesOf(rows['local-journeys'], 'pattern'), [
      'home_to_work',
      'incomplete',
      'local_trip',
      'long_distance',
      'work_to_home',
    ])
    assert.deepEqual(valuesOf(rows['local-journeys'], 'transfers'), ['0', '1'])
    assert.deepEqual(valuesOf(rows['local-board'], 'status'), ['delay', 'major_delay', 'minor_delay', 'on_time'])
    assert.deepEqual(valuesOf(rows['local-board'], 'outOfOrder'), ['false', 'true'])
    assert.deepEqual(valuesOf(rows['local-alerts'], 'type'), ['DEFINITELY_LATE', 'PEAK_HOUR'])
    assert.ok((rows['local-late']?.length ?? 0) > 10)
  })

  it('fire every pattern of the exchange with 10,000 events', () => {
    const rows = nseModel([...trading({ count: 10_000 })])
    const signals = ['sebi', 'surveillance', 'trading-desks', 'risk'].flatMap((to) => rows[`nse-${to}`] ?? [])
    assert.deepEqual(valuesOf(signals, 'pattern'), [
      'bear_signal',
      'bull_run',
      'insider_trading',
      'market_manipulation',
      'momentum_trading',
    ])
    assert.ok((rows['nse-late']?.length ?? 0) > 10)
  })
})

function behindWatermark(events: Iterable<{ readonly timestamp: number }>, bound: number): number {
  let highest = Number.NEGATIVE_INFINITY
  let behind = 0
  for (const { timestamp } of events) {
    if (timestamp <= highest - bound - 1) behind++
    highest = Math.max(highest, timestamp)
  }
  return behind
}

function valuesOf(rows: readonly { readonly value: unknown }[] = [], field: string): string[] {
  return [...new Set(rows.map(({ value }) => String((value as Record<string, unknown>)[field])))].sort()
}
