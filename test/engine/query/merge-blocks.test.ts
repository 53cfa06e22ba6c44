import assert from 'node:assert/strict'
import fc from 'fast-check'
import { compareKeys, MergedBlocks } from '../../../src/engine/query/merge-blocks.ts'
import type { RawBlocks } from '../../../src/engine/query/raw.ts'
import type { TextBlock } from '../../../src/state/backend.ts'

const prefix = 3

/** Where texts and their bytes could order differently: units below and above the surrogates, and points that need two of them. */
const character = fc.constantFrom(
  '\u0000',
  'a',
  'b',
  '\u007f',
  '\u0080',
  'é',
  '\ud7ff',
  '\ue000',
  '\ufffd',
  '\uffff',
  '🏏',
  '\u{10ffff}',
)
const key = fc.string({ unit: character, maxLength: 4 })

interface Part {
  /** Rows of its blocks, in turn. */
  readonly sizes: readonly number[]
  /** Rows from there on come as bytes. */
  readonly bytesFrom: number
}

const part: fc.Arbitrary<Part> = fc.record({
  sizes: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
  bytesFrom: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.nat(20)),
})

/** Keys in order, in blocks, behind three bytes of the part's own; values say whose they are. */
function blocksOf(keys: readonly string[], place: number, { sizes, bytesFrom }: Part): RawBlocks {
  let at = 0
  let block = 0
  return {
    prefix,
    async next(): Promise<TextBlock | undefined> {
      if (at === keys.length) return undefined
      const taken = keys.slice(at, at + sizes[block++ % sizes.length]!)
      const bytes = at >= bytesFrom
      at += taken.length
      return taken.flatMap((one) => {
        const text = `p${place}${String(place % 10)}${one}`
        return [bytes ? Buffer.from(text) : text, Buffer.from(`${place} ${one}`)]
      })
    },
  }
}

const bytewise = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

async function all(blocks: RawBlocks): Promise<string[]> {
  const values: string[] = []
  for (let rows = await blocks.next(); rows !== undefined; rows = await blocks.next()) {
    assert.ok(rows.length > 0)
    for (let i = 1; i < rows.length; i += 2) values.push(String(rows[i]))
  }
  assert.equal(await blocks.next(), undefined)
  return values
}

describe('blocks of several partitions', () => {
  it('merge in the order of the bytes of their keys, forward and backward', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(part, fc.uniqueArray(key, { maxLength: 30 })), { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        async (parts, reverse) => {
          const sign = reverse ? -1 : 1
          const sorted = parts.map(([, keys]) => keys.toSorted((a, b) => bytewise(a, b) * sign))
          const merged = new MergedBlocks(
            parts.map(([shape], place) => blocksOf(sorted[place]!, place, shape)),
            reverse,
          )
          const expected = sorted
            .flatMap((keys, place) => keys.map((one) => ({ one, place })))
            .sort((a, b) => bytewise(a.one, b.one) * sign || a.place - b.place)
            .map(({ one, place }) => `${place} ${one}`)
          assert.deepEqual(await all(merged), expected)
        },
      ),
      { numRuns: 300 },
    ))

  it('come whole where they are more than a block', async () => {
    const keys = Array.from({ length: 3000 }, (_, i) => String(i).padStart(5, '0'))
    const shape = { sizes: [512], bytesFrom: 1000 }
    const parts = [0, 1, 2].map((place) => keys.filter((_, i) => (i * i) % 3 === place || (place === 2 && i % 7 === 0)))
    const merged = new MergedBlocks(
      parts.map((own, place) => blocksOf(own, place, shape)),
      false,
    )
    const expected = parts
      .flatMap((own, place) => own.map((one) => `${one} ${place}`))
      .sort()
      .map((one) => one.split(' ').reverse().join(' '))
    assert.deepEqual(await all(merged), expected)
  })

  it('compare as bytes do, whether texts or bytes', () => {
    fc.assert(
      fc.property(key, key, fc.boolean(), fc.boolean(), (a, b, left, right) => {
        const [x, y] = [`abc${a}`, `xyz${b}`]
        const found = compareKeys(left ? Buffer.from(x) : x, right ? Buffer.from(y) : y, prefix)
        assert.equal(Math.sign(found), bytewise(a, b))
      }),
    )
  })
})
