import assert from 'node:assert/strict'
import fc from 'fast-check'
import { mergePages, pagesOrElse, type PartPages } from '../../../src/engine/query/merge.ts'
import type { RowPages } from '../../../src/engine/query/raw.ts'
import type { Row } from '../../../src/state/backend.ts'

/** The rows of a part, page by page; the sizes of its pages are taken in turn. */
class Part implements PartPages {
  closed = false
  asked = 0
  readonly #rows: Row[]
  readonly #sizes: readonly number[]

  constructor(rows: readonly Row[], sizes: readonly number[]) {
    this.#rows = [...rows]
    this.#sizes = sizes
  }

  async next(): Promise<Row[]> {
    return this.#rows.splice(0, this.#sizes[this.asked++ % this.#sizes.length])
  }

  close(): void {
    this.closed = true
  }
}

async function rowsOf(pages: RowPages): Promise<string[]> {
  const all: string[] = []
  for (let page = await pages.next(); page.length > 0; page = await pages.next())
    all.push(...page.map(([key, value]) => `${key[0]} of ${value[0]}`))
  assert.deepEqual(await pages.next(), [])
  return all
}

const part = fc.array(fc.nat({ max: 255 }), { maxLength: 80 })
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 })

describe('pages of several partitions', () => {
  it('come in the order of keys, of equal ones the first partition first', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 12 }), sizes, fc.boolean(), async (keys, cut, reverse) => {
        const sign = reverse ? -1 : 1
        const all = keys.map((some, place) =>
          some.toSorted((a, b) => (a - b) * sign).map((key): Row => [Buffer.of(key), Buffer.of(place)]),
        )
        const parts = all.map((rows) => new Part(rows, cut))
        const merged = mergePages(parts, reverse)
        const expected = all
          .flat()
          .toSorted(([a, x], [b, y]) => (a[0]! - b[0]!) * sign || x[0]! - y[0]!)
          .map(([key, value]) => `${key[0]} of ${value[0]}`)
        assert.deepEqual(await rowsOf(merged), expected)
        merged.close()
        assert.ok(parts.every(({ closed }) => closed))
      }),
    )
  })

  it('are read no further than the first rows of each before the first are given', async () => {
    const rows = (place: number): Row[] => Array.from({ length: 90 }, (_, i) => [Buffer.of(i), Buffer.of(place)])
    const parts = [0, 1, 2].map((place) => new Part(rows(place), [16]))
    const page = await mergePages(parts, false).next()
    assert.ok(page.length >= 16)
    assert.deepEqual(
      parts.map(({ asked }) => asked),
      [1, 1, 1],
    )
  })
})

describe('pages, or else others', () => {
  const pages = (...keys: readonly number[]): { readonly pages: RowPages; readonly part: Part } => {
    const rows = new Part(
      keys.map((key) => [Buffer.of(key), Buffer.of(0)]),
      [1],
    )
    return { pages: rows, part: rows }
  }

  it('are the first ones, if there are any, and the others are not opened', async () => {
    const first = pages(1, 2)
    assert.deepEqual(await rowsOf(pagesOrElse(first.pages, () => assert.fail('opened'))), ['1 of 0', '2 of 0'])
  })

  it('are the others, if there are none, and what was opened is closed', async () => {
    const [first, others] = [pages(), pages(3)]
    const either = pagesOrElse(first.pages, () => others.pages)
    assert.deepEqual(await rowsOf(either), ['3 of 0'])
    assert.deepEqual([first.part.closed, others.part.closed], [true, false])
    either.close()
    assert.ok(others.part.closed)
  })
})
