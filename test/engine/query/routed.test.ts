import assert from 'node:assert/strict'
import { DhaaraError } from '../../../src/index.ts'
import { type RowPages, type RowSource, RoutedRows, type StoreLayout } from '../../../src/engine/query/index.ts'

/** An instance: it has some rows, and remembers what it was asked. */
class Instance implements RowSource {
  readonly asked: string[] = []
  readonly #rows: ReadonlySet<string>

  constructor(...rows: string[]) {
    this.#rows = new Set(rows)
  }

  get(_: StoreLayout, keys: readonly Uint8Array[]) {
    const names = keys.map((key) => Buffer.from(key).toString())
    this.asked.push(...names)
    return names.map((name) => (this.#rows.has(name) ? Buffer.from(`${name}!`) : undefined))
  }

  scan = (): never => assert.fail('nobody scans')

  windows(layout: StoreLayout, { key }: { readonly key: Uint8Array }): RowPages {
    let rows = this.get(layout, [key]).flatMap((row) => (row === undefined ? [] : [[row, row] as const]))
    return { next: async () => rows.splice(0), close: () => (rows = []) }
  }
}

/** `certain` and `likely`: which instance has keys that begin so. */
function routed(own: Instance, others: Instance[], places: Record<string, readonly [Instance | undefined, boolean]>) {
  return new RoutedRows(() => ({
    own,
    others,
    placeOf: (key) => {
      const found = places[Buffer.from(key).toString().slice(0, 1)]
      if (found === undefined) return undefined
      const [place, certain] = found
      if (place !== undefined) return { place, certain }
      throw new DhaaraError('DHAARA_MOVED', 'on its way')
    },
    checkComplete() {},
  }))
}

const get = async (rows: RoutedRows, ...keys: string[]): Promise<(string | undefined)[]> =>
  (
    await rows.get(
      {} as StoreLayout,
      keys.map((key) => Buffer.from(key)),
    )
  ).map((row) => row && Buffer.from(row).toString())

async function windows(rows: RoutedRows, key: string): Promise<string[]> {
  const pages = rows.windows({} as StoreLayout, { key: Buffer.from(key), from: 0, to: 1, reverse: false })
  const all: string[] = []
  for (let page = await pages.next(); page.length > 0; page = await pages.next())
    all.push(...page.map(([row]) => Buffer.from(row).toString()))
  pages.close()
  return all
}

describe('windows of a key where several instances have rows', () => {
  it('are asked of the one that has its partition, and of nobody else', async () => {
    const [own, b, c] = [new Instance(), new Instance('b1'), new Instance()]
    const rows = routed(own, [b, c], { b: [b, true] })
    assert.deepEqual([await windows(rows, 'b1'), await windows(rows, 'b2')], [['b1!'], []])
    assert.deepEqual([own.asked, b.asked, c.asked], [[], ['b1', 'b2'], []])
  })

  it('are asked of all others where the one that is likely to have them has none', async () => {
    const [own, b, c] = [new Instance(), new Instance('b1'), new Instance('b2')]
    const rows = routed(own, [b, c], { b: [b, false] })
    assert.deepEqual([await windows(rows, 'b1'), await windows(rows, 'b2')], [['b1!'], ['b2!']])
    assert.deepEqual([own.asked, b.asked, c.asked], [['b2'], ['b1', 'b2'], ['b2']])
  })

  it('are asked of all where nobody knows, and refused where their partition is on its way', async () => {
    const [own, b] = [new Instance(), new Instance('x')]
    assert.deepEqual(await windows(routed(own, [b], {}), 'x'), ['x!'])
    await assert.rejects(windows(routed(own, [b], { a: [undefined, true] }), 'a1'), { code: 'DHAARA_MOVED' })
  })
})

describe('keys that are asked for where several instances have rows', () => {
  it('are asked of the one that has their partition, and of nobody else', async () => {
    const [own, b, c] = [new Instance('a1'), new Instance('b1'), new Instance('c1')]
    const rows = routed(own, [b, c], { a: [own, true], b: [b, true], c: [c, true] })
    assert.deepEqual(await get(rows, 'a1', 'b1', 'c1', 'a2', 'b2'), ['a1!', 'b1!', 'c1!', undefined, undefined])
    assert.deepEqual([b.asked, c.asked], [['b1', 'b2'], ['c1']])
  })

  it('are asked of all others where the one that is likely to have them has not', async () => {
    const [own, b, c] = [new Instance(), new Instance('b1'), new Instance('b2')]
    const rows = routed(own, [b, c], { b: [b, false] })
    assert.deepEqual(await get(rows, 'b1'), ['b1!'])
    assert.deepEqual([b.asked, c.asked], [['b1'], []])
    assert.deepEqual(await get(rows, 'b2', 'b3'), ['b2!', undefined])
    assert.deepEqual(
      [b.asked, c.asked],
      [
        ['b1', 'b2', 'b3'],
        ['b2', 'b3'],
      ],
    )
  })

  it('are asked of all where nobody knows', async () => {
    const [own, b, c] = [new Instance(), new Instance(), new Instance('x')]
    assert.deepEqual(await get(routed(own, [b, c], {}), 'x'), ['x!'])
    assert.deepEqual([b.asked, c.asked], [['x'], ['x']])
  })

  it('are refused where their partition is on its way, and others are not', async () => {
    const [own, b] = [new Instance(), new Instance('b1')]
    const rows = routed(own, [b], { a: [undefined, true], b: [b, true] })
    assert.deepEqual(await get(rows, 'b1'), ['b1!'])
    await assert.rejects(get(rows, 'a1'), { code: 'DHAARA_MOVED' })
  })
})
