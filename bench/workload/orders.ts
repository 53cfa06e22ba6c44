/**
 * The order events that most cases read: JSON of 150 to 200 bytes, 1 ms of event time apart, 1 % of them up to 5 s out of
 * order, customers uniform or by Zipf's law. The same seed gives the same bytes, and a shorter run is a prefix of a longer one.
 */
import { Random, zipf } from './random.ts'

export interface Order {
  readonly orderId: number
  /** 0..9999; 0..999999 with `keys: 'large'`, 0..19999999 with `huge`. */
  readonly customer: number
  /** `city-0` .. `city-19`. */
  readonly city: string
  /** 0..9999 */
  readonly amount: number
  /** Event time, epoch milliseconds. */
  readonly ts: number
  readonly channel: string
  readonly note: string
}

const keySpaces = {
  uniform: { customers: 10_000, skew: false },
  skew: { customers: 10_000, skew: true },
  large: { customers: 1_000_000, skew: false },
  'large-skew': { customers: 1_000_000, skew: true },
  huge: { customers: 20_000_000, skew: false },
  'huge-skew': { customers: 20_000_000, skew: true },
}

export interface OrdersParams {
  /** `uniform`: 10,000 customers; `large`: 1,000,000; `huge`: 20,000,000; with `skew` by Zipf 1.0. */
  readonly keys: keyof typeof keySpaces
  readonly seed: number
}

/** Event time of the first order: a multiple of a minute. */
export const startTime = 1_699_999_980_000
/** Highest distance of an order behind the highest time before it, milliseconds. */
export const outOfOrderness = 5_000
export const cities = 20

const channels = ['app', 'web', 'store', 'partner'] as const
const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'
const shortest = 150
const longest = 200

/** Makes orders one after the other, from orderId 0. */
export function orderGenerator({ keys, seed }: OrdersParams): () => Order {
  const random = new Random(seed)
  const { customers, skew } = keySpaces[keys]
  const rank = skew ? zipf(customers, 1) : undefined
  let next = 0
  return () => {
    const orderId = next++
    const customer = rank === undefined ? random.below(customers) : rank(random)
    const late = random.below(100) === 0 ? 1 + random.below(outOfOrderness) : 0
    const order = {
      orderId,
      customer,
      city: `city-${random.below(cities)}`,
      amount: random.below(10_000),
      ts: startTime + orderId - late,
      channel: channels[random.below(channels.length)]!,
      note: '',
    }
    const length = shortest + random.below(longest - shortest + 1)
    order.note = filler(random, length - JSON.stringify(order).length)
    return order
  }
}

function filler(random: Random, length: number): string {
  let text = ''
  let bits = 0
  for (let i = 0; i < length; i++) {
    // Five bits a letter are enough for text that does not repeat.
    if (i % 6 === 0) bits = random.next()
    text += letters[bits & 31]!
    bits >>>= 5
  }
  return text
}
