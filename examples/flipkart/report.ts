import { clockInIndia } from '../lib/india.ts'
import { descending, lastRows, type Outputs, values, windowRows } from '../lib/rows.ts'
import { byFrequency, countIn, type Tally } from '../lib/tally.ts'
import { type Cell, type Column, grouped, money, type Style, table } from '../lib/terminal.ts'

/** The sale in seven tables, from the rows that the job has put out. */
export function report(outputs: Outputs, style: Style): string {
  return [
    topCustomers(outputs, style),
    topSellers(outputs, style),
    cities(outputs, style),
    trends(outputs, style),
    statuses(outputs, style),
    alerts(outputs, style),
    fraud(outputs, style),
  ].join('\n')
}

function topCustomers(outputs: Outputs, style: Style): string {
  type Customer = { spentPaise: number; orders: number; favouriteCategory: string; vip: boolean }
  const rows = lastRows<Customer>(outputs, 'flipkart-customers')
    .sort(
      descending(
        ([, customer]) => customer.spentPaise,
        ([id]) => id,
      ),
    )
    .slice(0, 5)
    .map(([id, { spentPaise, orders, favouriteCategory, vip }]): Cell[] => [
      id,
      money(spentPaise),
      grouped(orders),
      favouriteCategory,
      vip ? { text: '★ VIP', colour: 'yellow' } : '',
    ])
  const columns: Column[] = [
    { title: 'customer' },
    { title: 'spent', align: 'right' },
    { title: 'orders', align: 'right' },
    { title: 'favourite' },
    { title: '' },
  ]
  return table('Top customers', columns, rows, style)
}

function topSellers(outputs: Outputs, style: Style): string {
  type Seller = { scoreX100: number; revenuePaise: number; orders: number }
  const rows = lastRows<Seller>(outputs, 'flipkart-sellers')
    .sort(
      descending(
        ([, seller]) => seller.scoreX100,
        ([id]) => id,
      ),
    )
    .slice(0, 5)
    .map(([id, { scoreX100, revenuePaise, orders }]): Cell[] => [
      id,
      (scoreX100 / 100).toFixed(2),
      scoreX100 / 10_000,
      money(revenuePaise),
      grouped(orders),
    ])
  const columns: Column[] = [
    { title: 'seller' },
    { title: 'score', align: 'right' },
    { title: '', bar: true },
    { title: 'revenue', align: 'right' },
    { title: 'orders', align: 'right' },
  ]
  return table('Top sellers', columns, rows, style)
}

function cities(outputs: Outputs, style: Style): string {
  type City = { gmvPaise: number; orders: number; topCategories: string[] }
  const sorted = lastRows<City>(outputs, 'flipkart-cities').sort(
    descending(
      ([, city]) => city.gmvPaise,
      ([name]) => name,
    ),
  )
  const most = sorted[0]?.[1].gmvPaise ?? 1
  const rows = sorted.map(([name, { gmvPaise, orders, topCategories }]): Cell[] => [
    name,
    money(gmvPaise),
    gmvPaise / most,
    grouped(orders),
    topCategories.join(', '),
  ])
  const columns: Column[] = [
    { title: 'city' },
    { title: 'sales', align: 'right' },
    { title: '', bar: true },
    { title: 'orders', align: 'right' },
    { title: 'top categories' },
  ]
  return table('Cities', columns, rows, style)
}

function trends(outputs: Outputs, style: Style): string {
  type Trend = { orders: number; trending: boolean }
  const windows = windowRows<Trend>(outputs, 'flipkart-category-trends')
  const hours = [...new Set(windows.map(({ window }) => window.start))]
  const categories = [...new Set(windows.map(({ key }) => key))].sort()
  const rows = categories.map((category): Cell[] => [
    category,
    ...hours.map((hour): Cell => {
      const trend = windows.find(({ key, window }) => key === category && window.start === hour)?.value
      if (trend === undefined) return '·'
      return trend.trending ? { text: `▲ ${grouped(trend.orders)}`, colour: 'green' } : grouped(trend.orders)
    }),
  ])
  const columns: Column[] = [
    { title: 'from (IST)' },
    ...hours.map((hour): Column => ({ title: clockInIndia(hour), align: 'right' })),
  ]
  return table('Orders by hour and category (▲ trending)', columns, rows, style)
}

function statuses(outputs: Outputs, style: Style): string {
  const counts = new Map(lastRows<{ orders: number }>(outputs, 'flipkart-status-counts'))
  const total = [...counts.values()].reduce((sum, { orders }) => sum + orders, 0)
  const rows = ['order_placed', 'payment_success', 'shipped', 'delivered']
    .filter((status) => counts.has(status))
    .map((status): Cell[] => {
      const orders = counts.get(status)?.orders ?? 0
      return [status, grouped(orders), orders / Math.max(1, total)]
    })
  return table(
    'Orders by status',
    [{ title: 'status' }, { title: 'orders', align: 'right' }, { title: '', bar: true }],
    rows,
    style,
  )
}

function alerts(outputs: Outputs, style: Style): string {
  const counts: Tally = {}
  for (const { type } of values<{ type: string }>(outputs, 'flipkart-alerts')) countIn(counts, type)
  const rows = byFrequency(counts).map((type): Cell[] => [type, grouped(counts[type] as number)])
  return table('Alerts', [{ title: 'type' }, { title: 'alerts', align: 'right' }], rows, style)
}

function fraud(outputs: Outputs, style: Style): string {
  type Fraud = { orderId: string; customerId: string; score: number; factors: string[] }
  const rows = values<Fraud>(outputs, 'flipkart-fraud')
    .sort(
      descending(
        (flagged) => flagged.score,
        (flagged) => flagged.orderId,
      ),
    )
    .slice(0, 5)
    .map(({ orderId, customerId, score, factors }): Cell[] => [
      orderId,
      customerId,
      { text: String(score), colour: 'red' },
      factors.join(', '),
    ])
  const columns: Column[] = [
    { title: 'order' },
    { title: 'customer' },
    { title: 'score', align: 'right' },
    { title: 'factors' },
  ]
  return table('Highest fraud scores', columns, rows, style)
}
