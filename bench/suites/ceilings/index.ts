/**
 * How close the engine comes to the best loop that an expert would write by hand for just this one job. Each folder has
 * `hand-written.ts` (the yardstick), `reference.ts` (what is right) and the subjects.
 */
import { join } from 'node:path'
import type { BenchCase } from '../../harness/subject.ts'
import type { Suite } from '../../harness/suite.ts'
import { patternGenerator } from '../../workload/patterns.ts'
import { restart } from './restart/index.ts'
import { orderGenerator, type OrdersParams } from '../../workload/orders.ts'

const seed = 20_240_229

function ordersCase(
  name: string,
  summary: string,
  numbers: { readonly warmUp: number; readonly records: number },
  more: Partial<BenchCase> & { readonly keys?: OrdersParams['keys'] } = {},
): BenchCase {
  const { keys = 'uniform', ...overrides } = more
  return {
    name,
    summary,
    folder: join(import.meta.dirname, name),
    workload: `orders-${keys}-${seed}`,
    generator: () => orderGenerator({ keys, seed }),
    input: 'bytes',
    ratioOf: 'cpu',
    yardstick: 'hand-written',
    subjects: [{ name: 'dhaara', variants: ['codegen'] }],
    ...numbers,
    ...overrides,
  }
}

/** The engine with and without checkpoints against a loop in memory. */
function cepCase(name: string, folder: string, summary: string, keys: number): BenchCase {
  return {
    name,
    summary,
    folder: join(import.meta.dirname, folder),
    workload: `patterns-${keys}-${seed}`,
    generator: () => patternGenerator(keys, seed),
    input: 'parsed',
    warmUp: 500_000,
    records: 3_000_000,
    ratioOf: 'cpu',
    yardstick: 'hand-written',
    subjects: [{ name: 'dhaara', variants: ['memory', 'rocksdb'] }],
  }
}

/** The aggregate by customer over other keys. More of them than the cache holds: the yardstick that reads in batches. */
function keysCase(
  name: string,
  summary: string,
  keys: OrdersParams['keys'],
  numbers: { readonly warmUp: number; readonly records: number },
  folder = 'keyed-aggregate-large',
  onlyNamed = false,
): BenchCase {
  const more = { keys, folder: join(import.meta.dirname, folder), onlyNamed }
  return ordersCase(name, summary, numbers, more)
}

const usual = { warmUp: 500_000, records: 3_000_000 }
const large = { warmUp: 2_000_000, records: 2_000_000 }
/** Long enough for most keys to be there, too long to run unasked. */
const huge = { warmUp: 20_000_000, records: 4_000_000 }

export const suite: Suite = {
  name: 'ceilings',
  cases: [
    ordersCase(
      'stateless-5',
      'objects through filter, map, mapValues, filter, mapValues to a counting sink',
      { warmUp: 10_000_000, records: 100_000_000 },
      { input: 'objects' },
    ),
    ordersCase('json-in-out', 'bytes: parse, filter, map, filter, write JSON', usual),
    ordersCase('filter', 'bytes: parse, filter, write what is left as it came', usual, {
      subjects: [{ name: 'dhaara', variants: ['codegen', 'written anew'] }],
    }),
    ordersCase('keyed-aggregate', 'by customer (10,000): count, sum, max, emitted on each update; durable', usual),
    ordersCase('keyed-aggregate-large', 'the same with 1,000,000 customers, a tenth of them in the cache', large, {
      keys: 'large',
    }),
    keysCase('keyed-aggregate-skew', 'the same with 10,000 customers by Zipf 1.0', 'skew', usual, 'keyed-aggregate'),
    keysCase('keyed-aggregate-large-skew', 'with 1,000,000 customers by Zipf 1.0', 'large-skew', large),
    keysCase('keyed-aggregate-huge', 'with 20,000,000 customers', 'huge', huge, undefined, true),
    keysCase('keyed-aggregate-huge-skew', 'with 20,000,000 customers by Zipf 1.0', 'huge-skew', huge, undefined, true),
    ordersCase('checkpoint', 'keyed-aggregate with checkpoints more and less often than the yardstick', usual, {
      subjects: [{ name: 'dhaara', variants: ['10 ms', '100 ms', '1000 ms', 'only at the end'] }],
    }),
    ordersCase('tumbling', '60 s windows, grace 5 s, count and sum by customer, on close; durable', usual),
    ordersCase('tumbling-city', '60 s windows, grace 5 s, count and sum by city, on close; durable', usual),
    ordersCase('hopping', '60 s by 1 s, grace 5 s, count and sum by city, on close; durable', usual, {
      alsoAgainst: 'tumbling-city',
    }),
    ordersCase('tumbling-hour', '1 h windows, grace 5 s, count and sum by city, on close; durable', usual),
    ordersCase('hopping-hour', '1 h by 1 s, grace 5 s, count and sum by city, on close; durable', usual, {
      alsoAgainst: 'tumbling-hour',
    }),
    ordersCase('session', 'sessions with a gap of 30 s, count and sum by customer, on close; durable', usual, {
      alsoAgainst: 'tumbling',
    }),
    ordersCase('table-join', 'orders joined with a table of 10,000 customers', usual),
    ordersCase('stream-join', 'orders left-joined with orders of the same customer within 10 s; durable', usual),
    ordersCase('repartition', 'keyed by city after parse: count, sum, max, emitted on each update; durable', usual, {
      ratioOf: 'wall',
      subjects: [{ name: 'dhaara', variants: ['2 workers', '1 worker', 'no workers'] }],
    }),
    cepCase('cep-strict', 'cep-strict', 'by 10,000 keys: A next B', 10_000),
    cepCase('cep-relaxed', 'cep-relaxed', 'by 10,000 keys: A, B, C within 10 s', 10_000),
    cepCase('cep-loop', 'cep-loop', 'by 10,000 keys: A, one B or more, C within 10 s', 10_000),
    cepCase('cep-dense', 'cep-loop', 'the same by 100 keys, where matches are dense', 100),
  ],
  others: [restart],
}
