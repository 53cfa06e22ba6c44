import type { Sent } from '../engine/app/run.ts'

export interface Order {
  readonly customer: string
  readonly city: string
  readonly amount: number
}

export interface Customer {
  readonly tier: string
}

export const customers = 40
export const cities = ['Mumbai', 'Delhi', 'Pune', 'Chennai', 'Kochi', 'Jaipur', 'Surat']
const tiers = ['gold', 'silver', 'plain']
const start = 1_700_000_000_000

/** Event time between two orders, ms; they come up to 2 s out of order. */
const step = 10
const disorder = 2000

/** Mixes bits: the same number for the same order, whoever asks. */
function mix(n: number): number {
  let x = Math.imul(n + 0x9e3779b9, 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}

export function orderAt(seed: number, i: number): Sent {
  const random = mix(mix(seed) + i)
  const customer = `customer-${random % customers}`
  const city = cities[(random >>> 8) % cities.length] as string
  const value: Order = { customer, city, amount: (random >>> 16) % 1000 }
  return { key: customer, value, timestamp: start + i * step + ((random >>> 4) % disorder) }
}

export function customerAt(i: number): Sent {
  const value: Customer = { tier: tiers[i % tiers.length] as string }
  return { key: `customer-${i}`, value, timestamp: start - 1000 }
}
