import { StreamsBuilder, serdes, watermarks } from '../../src/index.ts'
import { cities } from './cities.ts'
import { customers } from './customers.ts'
import { orderEvent } from './events.ts'
import { fraud } from './fraud.ts'
import { categoryTrends, hourlyTotals } from './hours.ts'
import { inventory } from './inventory.ts'
import { orderStatus } from './order-status.ts'
import { reviews } from './reviews.ts'
import { sellers } from './sellers.ts'

const builder = new StreamsBuilder()

const events = builder.stream('flipkart-orders', {
  key: serdes.string(),
  value: serdes.json(orderEvent),
  keyOf: (event) => event.customerId,
  timestamp: (event) => event.timestamp,
  watermark: watermarks.boundedOutOfOrderness('30s'),
  onInvalid: 'deadLetter',
  nullKeys: 'drop',
})
const orders = events.filter((event) => event.eventType === 'order_placed')

customers(orders)
sellers(orders)
cities(orders)
categoryTrends(orders)
hourlyTotals(orders)
inventory(orders)
fraud(orders)
reviews(orders)
orderStatus(events)

export default builder.build()
