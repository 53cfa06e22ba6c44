import assert from 'node:assert/strict'
import type { OrderEvent } from '../../examples/flipkart/events.ts'
import type { Row } from './compare.ts'
import { flipkartModel } from './flipkart-model.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
/** 15:00 UTC on the hour, 20:30 in India. */
const T = Date.UTC(2024, 9, 8, 15)

let ids = 0
function order(fields: Partial<OrderEvent> = {}): OrderEvent {
  return {
    eventType: 'order_placed',
    orderId: `o${++ids}`,
    customerId: 'c1',
    sellerId: 's1',
    productId: 'book-01',
    category: 'Books',
    pricePaise: 100,
    quantity: 1,
    deliveryCity: 'Pune',
    paymentMethod: 'UPI',
    timestamp: T,
    ...fields,
  }
}

function times(n: number, fields: Partial<OrderEvent> = {}): OrderEvent[] {
  return Array.from({ length: n }, () => order(fields))
}

function rows(topic: string, events: readonly OrderEvent[]): Row[] {
  return flipkartModel(events)[`flipkart-${topic}`] as Row[]
}

function alerts(type: string, events: readonly OrderEvent[]): Row[] {
  return rows('alerts', events).filter(({ value }) => (value as { type: string }).type === type)
}

beforeEach(() => {
  ids = 0
})

describe('examples: Flipkart model', () => {
  describe('customers', () => {
    it('sums orders up, names ties in order', () => {
      const events = [
        order({ pricePaise: 100, quantity: 3, category: 'Toys', deliveryCity: 'Pune', timestamp: T + 5 }),
        order({ pricePaise: 51, category: 'Books', deliveryCity: 'Delhi', paymentMethod: 'COD', timestamp: T }),
        order({ eventType: 'shipped', pricePaise: 9999 }),
      ]
      assert.deepEqual(rows('customers', events), [
        {
          key: 'c1',
          value: {
            orders: 2,
            spentPaise: 351,
            avgOrderPaise: 175,
            cities: ['Delhi', 'Pune'],
            favouriteCategory: 'Books',
            preferredPayment: 'COD',
            lastOrderAt: T + 5,
            vip: false,
          },
        },
      ])
    })

    it('are VIPs above 100,000 rupees, once, from the order that arrives', () => {
      const limit = order({ pricePaise: 10_000_000 })
      assert.deepEqual(alerts('vip_customer', [limit]), [])
      const events = [
        limit,
        order({ orderId: 'x', pricePaise: 1, timestamp: T - HOUR }),
        order(),
        order({ customerId: 'c2' }),
      ]
      assert.deepEqual(alerts('vip_customer', events), [
        { key: 'c1', value: { type: 'vip_customer', customerId: 'c1', orderId: 'x', spentPaise: 10_000_001 } },
      ])
    })
  })

  describe('sellers', () => {
    const score = (events: readonly OrderEvent[]) =>
      (rows('sellers', events) as unknown as [{ value: { scoreX100: number } }])[0].value.scoreX100

    it('score revenue, orders and categories', () => {
      assert.equal(score([order({ pricePaise: 9_999 })]), 0 + 1 + 500)
      assert.equal(score([order({ pricePaise: 10_000 }), order({ category: 'Toys' })]), 1 + 2 + 1000)
    })

    it('score up to the limits', () => {
      const names = ['A', 'B', 'C', 'D', 'E']
      const events = [
        order({ pricePaise: 60_000_000 }),
        ...names.map((category) => order({ category })),
        ...times(3000),
      ]
      assert.equal(score(events), 10_000)
    })

    it('get to the top above 9000', () => {
      const events = [
        order({ pricePaise: 50_000_000 }),
        ...['A', 'B', 'C'].map((category) => order({ category })),
        ...times(1996),
      ]
      assert.equal(score(events), 9000)
      assert.deepEqual(alerts('top_seller', events), [])
      assert.deepEqual(alerts('top_seller', [...events, ...times(2)]), [
        { key: 's1', value: { type: 'top_seller', sellerId: 's1' } },
      ])
    })
  })

  describe('cities', () => {
    it('rank three categories, ties by name', () => {
      const events = ['D', 'C', 'B', 'A', 'D'].map((category) => order({ category, pricePaise: 3 }))
      assert.deepEqual(rows('cities', events)[0], {
        key: 'Pune',
        value: {
          orders: 5,
          gmvPaise: 15,
          avgOrderPaise: 3,
          categories: { A: 1, B: 1, C: 1, D: 2 },
          payments: { UPI: 5 },
          topCategories: ['D', 'A', 'B'],
        },
      })
    })

    it('are in demand above 1000 orders, once', () => {
      assert.deepEqual(alerts('high_demand_city', times(1000)), [])
      assert.deepEqual(alerts('high_demand_city', times(1003)), [
        { key: 'Pune', value: { type: 'high_demand_city', city: 'Pune', orders: 1001 } },
      ])
    })
  })

  describe('hours', () => {
    const first = { start: T, end: T + HOUR }
    const second = { start: T + HOUR, end: T + 2 * HOUR }

    it('start on the hour and end before the next', () => {
      const events = [order({ timestamp: T + HOUR - 1 }), order({ timestamp: T + HOUR, pricePaise: 7 })]
      assert.deepEqual(rows('category-trends', events), [
        {
          key: { key: 'Books', window: first },
          value: { orders: 1, revenuePaise: 100, avgOrderPaise: 100, trending: false },
        },
        {
          key: { key: 'Books', window: second },
          value: { orders: 1, revenuePaise: 7, avgOrderPaise: 7, trending: false },
        },
      ])
    })

    it('count by city and payment', () => {
      assert.deepEqual(rows('hourly', [order(), order({ deliveryCity: 'Delhi', category: 'Toys' })]), [
        {
          key: { key: 'all', window: first },
          value: { orders: 2, revenuePaise: 200, cities: { Delhi: 1, Pune: 1 }, payments: { UPI: 2 }, peak: false },
        },
      ])
    })

    it('trend above 100 orders, peak above 10,000', () => {
      assert.deepEqual(alerts('trending_category', times(100)), [])
      assert.deepEqual(alerts('trending_category', times(102)), [
        { key: 'Books', value: { type: 'trending_category', category: 'Books', windowStart: T, orders: 101 } },
      ])
      const alternating = Array.from({ length: 102 }, (_, i) => order({ timestamp: T + (i % 2) * HOUR }))
      assert.deepEqual(alerts('trending_category', alternating), [])
      const crowd = Array.from({ length: 10_000 }, (_, i) => order({ customerId: `c${i}` }))
      assert.deepEqual(alerts('peak_traffic', crowd), [])
      assert.deepEqual(alerts('peak_traffic', [...crowd, order()]), [
        { key: 'all', value: { type: 'peak_traffic', windowStart: T, orders: 10_001 } },
      ])
    })

    it('close 5 minutes after their end, by the watermark before the record, of all events', () => {
      // The watermark is highest - 30 s - 1 and closes the first hour at T + 1 h + 5 min - 1.
      const closing = T + HOUR + 5 * MINUTE + 30 * SECOND
      const late = order({ orderId: 'x', timestamp: T + 1 })
      assert.deepEqual(rows('late', [order({ timestamp: closing - 1 }), late]), [])
      const after = [order({ eventType: 'shipped', timestamp: closing }), late, order({ timestamp: T + HOUR })]
      assert.deepEqual(rows('late', after), [
        { key: 'x', value: { orderId: 'x', category: 'Books', timestamp: T + 1 } },
      ])
      assert.deepEqual(
        rows('category-trends', after).map(({ key }) => key),
        [{ key: 'Books', window: second }],
      )
      const [customer] = rows('customers', after) as unknown as [{ value: { orders: number } }]
      assert.equal(customer.value.orders, 2, 'late orders count elsewhere')
    })

    it('never call a status event late', () => {
      const events = [order({ timestamp: T + 9 * HOUR }), order({ eventType: 'delivered', timestamp: T })]
      assert.deepEqual(rows('late', events), [])
    })
  })

  describe('fraud', () => {
    const night = Date.UTC(2024, 9, 8, 17, 30)
    const dawn = Date.UTC(2024, 9, 9, 0, 30)

    it('flags 50 points and more', () => {
      assert.deepEqual(rows('fraud', [order({ pricePaise: 5_000_001 })]), [
        {
          key: 'o1',
          value: { orderId: 'o1', customerId: 'c1', score: 55, factors: ['high_value', 'new_customer_high_value'] },
        },
      ])
      assert.deepEqual(rows('fraud', [order({ pricePaise: 5_000_000, timestamp: T })]), [])
      assert.deepEqual(rows('fraud', [order({ pricePaise: 1_000_000, quantity: 6, timestamp: night })]), [
        { key: 'o3', value: { orderId: 'o3', customerId: 'c1', score: 50, factors: ['high_value', 'unusual_time'] } },
      ])
    })

    for (const [timestamp, unusual] of [
      [night - 1, false],
      [night, true],
      [dawn - 1, true],
      [dawn, false],
    ] as const) {
      it(`${unusual ? 'finds' : 'does not find'} ${new Date(timestamp).toISOString()} unusual`, () => {
        const events = [order({ paymentMethod: 'COD' }), order({ pricePaise: 6_000_000, timestamp })]
        const [row] = rows('fraud', events)
        assert.deepEqual(
          (row?.value as { factors: string[] } | undefined)?.factors.includes('unusual_time') ?? false,
          unusual,
        )
      })
    }

    it('compares the payment with earlier orders only, ties by name', () => {
      const high = { pricePaise: 6_000_000, timestamp: night }
      const events = [
        order({ paymentMethod: 'UPI', timestamp: T + 1 }),
        order({ paymentMethod: 'COD' }),
        order({ ...high, orderId: 'upi', paymentMethod: 'UPI' }),
        order({ customerId: 'c2', paymentMethod: 'UPI' }),
        order({ ...high, orderId: 'same', customerId: 'c2', paymentMethod: 'UPI' }),
      ]
      assert.deepEqual(
        rows('fraud', events).map(({ value }) => value),
        [
          {
            orderId: 'upi',
            customerId: 'c1',
            score: 65,
            factors: ['high_value', 'unusual_payment_method', 'unusual_time'],
          },
          { orderId: 'same', customerId: 'c2', score: 50, factors: ['high_value', 'unusual_time'] },
        ],
      )
    })
  })

  describe('rapid orders', () => {
    const at = (...offsets: number[]) => offsets.map((offset) => order({ timestamp: T + offset }))
    const found = (events: readonly OrderEvent[]) =>
      alerts('rapid_orders', events).map(({ value }) => {
        const { orderId, ordersIn10m } = value as { orderId: string; ordersIn10m: number }
        return [orderId, ordersIn10m]
      })

    it('are more than five in ten minutes, each one from the sixth', () => {
      assert.deepEqual(found(at(0, 1, 2, 3, 4)), [])
      assert.deepEqual(found(at(0, 1, 2, 3, 4, 5, 6)), [
        ['o11', 6],
        ['o12', 7],
      ])
    })

    it('leave out an order exactly ten minutes older', () => {
      assert.deepEqual(found(at(0, 1, 2, 3, 4, 10 * MINUTE)), [])
      assert.deepEqual(found(at(1, 2, 3, 4, 5, 10 * MINUTE)), [['o12', 6]])
    })

    it('look back from each order, not from the newest', () => {
      assert.deepEqual(found(at(1, 2, 3, 4, 5, 30 * MINUTE, 6)), [['o7', 6]])
      assert.deepEqual(found(at(10, 11, 12, 13, 14, 9)), [])
    })

    it('forget what is an hour older than the newest', () => {
      assert.deepEqual(found(at(1, 2, 3, 4, 5, HOUR + 1, 6)), [], 'the order at 1 is forgotten')
      assert.deepEqual(found(at(1, 2, 3, 4, 5, HOUR, 6)), [['o14', 6]])
      assert.deepEqual(found(at(2, 3, 4, 5, 6, HOUR + 1, 1)), [], 'an order that old is not checked')
    })
  })

  it('reviews the first order above 50,000 rupees of each customer', () => {
    const events = [
      order({ pricePaise: 5_000_000 }),
      order({ orderId: 'x', pricePaise: 2_500_001, quantity: 2, timestamp: T + 9 }),
      order({ pricePaise: 9_000_000 }),
    ]
    const value = { type: 'high_value_new_customer', customerId: 'c1', orderId: 'x', valuePaise: 5_000_002 }
    assert.deepEqual(alerts('high_value_new_customer', events), [{ key: 'c1', value }])
  })

  it('tells remote deliveries', () => {
    const events = ['Kashmir', 'Assam', 'Pune', 'Kerala'].map((deliveryCity) => order({ deliveryCity }))
    assert.deepEqual(alerts('remote_delivery', [...events, order({ eventType: 'shipped', deliveryCity: 'Assam' })]), [
      { key: 'o1', value: { type: 'remote_delivery', orderId: 'o1', city: 'Kashmir' } },
      { key: 'o2', value: { type: 'remote_delivery', orderId: 'o2', city: 'Assam' } },
      { key: 'o4', value: { type: 'remote_delivery', orderId: 'o4', city: 'Kerala' } },
    ])
  })

  describe('inventory', () => {
    // 'a' is 97: 50 + 3589 mod 201 = 50 + 172 = 222
    const sell = (...quantities: number[]) => quantities.map((quantity) => order({ productId: 'a', quantity }))

    it('counts down from the opening stock', () => {
      assert.deepEqual(rows('inventory', sell(2, 3)), [
        { key: 'a', value: { openingStock: 222, sold: 5, stock: 217, oversold: 0 } },
      ])
      assert.deepEqual(rows('inventory', sell(222, 3)), [
        { key: 'a', value: { openingStock: 222, sold: 225, stock: 0, oversold: 3 } },
      ])
    })

    it('alerts below 10 left and above 100 sold', () => {
      assert.deepEqual(alerts('low_stock', sell(212)), [])
      assert.deepEqual(alerts('low_stock', sell(212, 1, 50)), [
        { key: 'a', value: { type: 'low_stock', productId: 'a' } },
      ])
      assert.deepEqual(alerts('high_demand_product', sell(100)), [])
      assert.equal(alerts('high_demand_product', sell(100, 5, 5)).length, 1)
    })
  })

  describe('order status', () => {
    const stage = (eventType: OrderEvent['eventType'], timestamp: number) =>
      order({ eventType, orderId: 'x', timestamp })

    it('is the furthest stage, with the earliest time of each', () => {
      const events = [stage('delivered', T + 90), stage('order_placed', T + 20), stage('order_placed', T + 10)]
      assert.deepEqual(rows('order-status', [...events, stage('order_placed', T + 30)]), [
        {
          key: 'x',
          value: {
            status: 'delivered',
            placedAt: T + 10,
            paidAt: null,
            shippedAt: null,
            deliveredAt: T + 90,
            deliveryMs: 80,
          },
        },
      ])
      const { value } = rows('order-status', [stage('payment_success', T)])[0] as Row
      assert.deepEqual(value, {
        status: 'payment_success',
        placedAt: null,
        paidAt: T,
        shippedAt: null,
        deliveredAt: null,
        deliveryMs: null,
      })
    })

    it('is counted, and zero when all have left', () => {
      const events = [
        stage('order_placed', T),
        order({ orderId: 'y' }),
        stage('shipped', T + 1),
        stage('payment_success', T + 2),
      ]
      assert.deepEqual(rows('status-counts', events), [
        { key: 'order_placed', value: { orders: 1 } },
        { key: 'shipped', value: { orders: 1 } },
      ])
      assert.deepEqual(rows('status-counts', [stage('order_placed', T), stage('delivered', T)]), [
        { key: 'order_placed', value: { orders: 0 } },
        { key: 'delivered', value: { orders: 1 } },
      ])
    })
  })
})
