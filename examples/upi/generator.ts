import { Random } from '../lib/random.ts'
import { cities, type City, type Payment } from './events.ts'

export interface GeneratorParams {
  readonly seed: number
  readonly count: number
}

const start = Date.UTC(2025, 9, 20, 4, 30)
const banks = ['okaxis', 'ybl', 'ibl', 'paytm', 'oksbi']
const shops = ['kirana', 'chai', 'petrol', 'metro', 'pharmacy', 'sabzi', 'books', 'cinema']

/**
 * Payments of a Diwali morning, in the order of their times: most small and to few payees. One payer in a hundred is a fraud's
 * victim: payments in quick succession, from two cities at once, or large ones to somebody new.
 */
export function* generate({ seed, count }: GeneratorParams): Generator<Payment> {
  const random = new Random(seed)
  const payers = Array.from({ length: Math.max(20, Math.floor(count / 25)) }, (_, i) => ({
    name: `user${String(i).padStart(5, '0')}@${banks[i % banks.length]}`,
    city: cities[random.int(0, cities.length - 1)] as City,
  }))
  let at = start
  for (let n = 0; n < count; ) {
    const payer = payers[random.int(0, payers.length - 1)] as (typeof payers)[number]
    const make = (payee: string, rupees: number, city: City = payer.city): Payment => ({
      id: `UPI${String(n++).padStart(9, '0')}`,
      payer: payer.name,
      payee,
      rupees,
      city,
      at,
    })
    at += Math.round(random.exponential() * 200)
    if (!random.chance(0.01)) {
      yield make(`${shops[random.int(0, shops.length - 1)]}@ybl`, random.int(10, 2000))
      continue
    }
    const thief = `mule${random.int(0, 20)}@paytm`
    const trick = random.int(0, 2)
    if (trick === 0) {
      for (let i = random.int(6, 9); i > 0 && n < count; i--) {
        at += random.int(500, 3000)
        yield make(thief, random.int(1000, 4999))
      }
    } else if (trick === 1) {
      yield make('chai@ybl', 20)
      at += random.int(30_000, 120_000)
      const elsewhere = cities[(cities.indexOf(payer.city) + random.int(1, 4)) % cities.length] as City
      if (n < count) yield make(thief, random.int(500, 5000), elsewhere)
    } else yield make(thief, random.int(25_000, 100_000))
  }
}
