import assert from 'node:assert/strict'
import fc from 'fast-check'
import { BytesOrder } from '../../../src/state/stores/bytes-order.ts'

const kinds: Record<string, fc.Arbitrary<Uint8Array>> = {
  'any bytes': fc.uint8Array({ maxLength: 12 }),
  'few letters': fc.uint8Array({ max: 1, maxLength: 12 }),
  'texts that begin alike': fc
    .tuple(fc.constantFrom('2015-07-15 ', '2015-07-15 channel-', ''), fc.nat(3000))
    .map(([start, n]) => Buffer.from(`${start}${n}`)),
  'eight bytes': fc.uint8Array({ minLength: 8, maxLength: 8 }),
}

describe('BytesOrder', () => {
  const order = new BytesOrder()
  for (const [kind, bytes] of Object.entries(kinds))
    it(`orders as a comparison does: ${kind}`, () => {
      fc.assert(
        fc.property(fc.array(bytes, { size: 'max', maxLength: 500 }), (strings) => {
          const starts = new Uint32Array(strings.length + 1)
          for (const [i, { length }] of strings.entries()) starts[i + 1] = (starts[i] as number) + length
          const places = [...order.sort(Buffer.concat(strings), starts, strings.length).subarray(0, strings.length)]
          assert.deepEqual(
            places.toSorted((a, b) => a - b),
            [...strings.keys()],
          )
          const sorted = strings.toSorted(Buffer.compare)
          for (const [i, place] of places.entries()) assert.equal(Buffer.compare(strings[place]!, sorted[i]!), 0)
        }),
        { numRuns: 100 },
      )
    })
})
