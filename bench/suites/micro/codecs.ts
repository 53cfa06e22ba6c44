import { Packr } from 'msgpackr'
import { serdes } from '../../../src/index.ts'
import { decodeKey, decodeValue, encodeKey, encodeValue } from '../../../src/state/codec/index.ts'
import { orderGenerator } from '../../workload/orders.ts'
import type { MicroCase } from './case.ts'

const next = orderGenerator({ keys: 'uniform', seed: 1 })
const orders = Array.from({ length: 256 }, next)
const perCall = orders.length

const aggregates = orders.map(({ amount }, i) => ({ count: i, sum: amount * i, max: amount }))
const keys = orders.map(({ city, customer }) => [city, customer] as const)
const json = orders.map((order) => Buffer.from(JSON.stringify(order)))
const values = aggregates.map((aggregate) => Buffer.from(encodeValue(aggregate)))
const packr = new Packr({ useRecords: false })
const packed = aggregates.map((aggregate) => Buffer.from(packr.pack(aggregate)))
const encodedKeys = keys.map((key) => Buffer.from(encodeKey(key)))

const whole = serdes.json<{ amount: number }>()
const declared = serdes.json({ fields: { customer: 'number', amount: 'number', ts: 'number' } })

const sum = <T>(items: readonly T[], of: (item: T) => number): number => {
  let total = 0
  for (const item of items) total += of(item)
  return total
}

export const codecs: readonly MicroCase[] = [
  {
    name: 'state value, encode',
    perCall,
    run: () => sum(aggregates, (a) => encodeValue(a).length),
    against: 'msgpackr, encode',
  },
  { name: 'msgpackr, encode', perCall, run: () => sum(aggregates, (a) => packr.pack(a).length) },
  {
    name: 'state value, decode',
    perCall,
    run: () => sum(values, (bytes) => (decodeValue(bytes) as { sum: number }).sum),
    against: 'msgpackr, decode',
  },
  {
    name: 'msgpackr, decode',
    perCall,
    run: () => sum(packed, (bytes) => (packr.unpack(bytes) as { sum: number }).sum),
  },
  { name: 'ordered key, encode', perCall, run: () => sum(keys, (key) => encodeKey(key).length) },
  {
    name: 'ordered key, decode',
    perCall,
    run: () => sum(encodedKeys, (bytes) => (decodeKey(bytes) as [string, number])[1]),
  },
  {
    name: 'JSON of three fields, read',
    perCall,
    run: () => sum(json, (bytes) => declared.deserialize(bytes, 'orders').amount),
    against: 'JSON, read',
  },
  { name: 'JSON, read', perCall, run: () => sum(json, (bytes) => whole.deserialize(bytes, 'orders').amount) },
]
