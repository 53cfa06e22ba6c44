import type { KStream } from '../../src/index.ts'
import { include } from '../lib/tally.ts'
import { json } from '../lib/topics.ts'
import { type Alert, passes, sendAlerts } from './alerts.ts'
import { type OrderEvent, valueOf } from './events.ts'

const TOP_SCORE_X100 = 9000

interface Seller {
  orders: number
  revenuePaise: number
  categories: string[]
  cities: string[]
  /** Never falls, so a seller gets to the top once. */
  scoreX100: number
  scoreBeforeX100: number
}

/** Sales and score of each seller, and who becomes a top seller. */
export function sellers(orders: KStream<string, OrderEvent>): void {
  const updates = orders
    .groupBy((order) => order.sellerId)
    .aggregate(newSeller, addSale, { store: 'sellers' })
    .toStream()

  updates.mapValues(sellerRow).to('flipkart-sellers', json)

  sendAlerts(
    updates
      .filter(({ scoreBeforeX100, scoreX100 }) => passes(TOP_SCORE_X100, scoreBeforeX100, scoreX100))
      .mapValues<Alert>((_, sellerId) => ({ type: 'top_seller', sellerId })),
  )
}

function newSeller(): Seller {
  return { orders: 0, revenuePaise: 0, categories: [], cities: [], scoreX100: 0, scoreBeforeX100: 0 }
}

function addSale(seller: Seller, order: OrderEvent): Seller {
  seller.orders++
  seller.revenuePaise += valueOf(order)
  include(seller.categories, order.category)
  include(seller.cities, order.deliveryCity)
  seller.scoreBeforeX100 = seller.scoreX100
  seller.scoreX100 = scoreX100(seller)
  return seller
}

/** In hundredths: a point for 10,000 rupees, up to 50; one for 100 orders, up to 30; five for each category, up to 20. */
function scoreX100({ revenuePaise, orders, categories }: Seller): number {
  return (
    Math.min(Math.floor(revenuePaise / 10_000), 5000) + Math.min(orders, 3000) + Math.min(500 * categories.length, 2000)
  )
}

function sellerRow({ orders, revenuePaise, categories, cities, scoreX100 }: Seller) {
  return { orders, revenuePaise, avgOrderPaise: Math.floor(revenuePaise / orders), categories, cities, scoreX100 }
}
