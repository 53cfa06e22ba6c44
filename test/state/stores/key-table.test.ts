import assert from 'node:assert/strict'
import fc from 'fast-check'
import { KeyTable } from '../../../src/state/stores/key-table.ts'

interface Row {
  readonly key: number
  readonly hash: number
  spared: boolean
}

/** Few hashes, so that keys stand in each other's way and around the end of the slots. */
const rowOf = (key: number, hashes: number): Row => ({ key, hash: (key % hashes) - 3, spared: false })

const same = (a: unknown, b: unknown): boolean => a === b

describe('KeyTable', () => {
  it('holds what a map holds, whatever comes and goes', () => {
    const step = fc.tuple(fc.constantFrom('add', 'delete', 'sweep'), fc.nat(300))
    fc.assert(
      fc.property(
        fc.array(step, { size: 'max', maxLength: 1000 }),
        fc.integer({ min: 1, max: 400 }),
        (steps, hashes) => {
          const table = new KeyTable<Row>(same)
          const model = new Map<number, Row>()
          for (const [act, key] of steps) {
            const row = rowOf(key, hashes)
            const known = model.get(key)
            assert.equal(table.get(key, row.hash), known)
            if (act === 'add' && known === undefined) {
              table.add(row)
              model.set(key, row)
            } else if (act === 'delete') {
              assert.equal(table.delete(known ?? row), known !== undefined)
              model.delete(key)
            } else if (act === 'sweep') {
              const most = key % 5
              const gone: Row[] = []
              table.sweep(
                1,
                ({ key }) => key % 2 === 0,
                (row) => gone.push(row) >= most,
              )
              const odd = [...model.keys()].filter((one) => one % 2 === 1)
              assert.equal(gone.length, Math.min(Math.max(most, 1), odd.length))
              for (const row of gone) assert.ok(row.key % 2 === 1 && model.delete(row.key))
            }
            assert.equal(table.size, model.size)
          }
          assert.deepEqual(new Set(table), new Set(model.values()))
          for (const row of model.values()) assert.equal(table.get(row.key, row.hash), row)
        },
      ),
    )
  })

  it('goes on where the last sweep ended', () => {
    const table = new KeyTable<Row>(same)
    const rows = Array.from({ length: 10 }, (_, key) => rowOf(key, 100))
    for (const row of rows) table.add(row)
    const swept: number[] = []
    const one = (): void => {
      table.sweep(
        2,
        (row) => {
          const { spared } = row
          row.spared = true
          return !spared
        },
        ({ key }) => swept.push(key) > 0,
      )
    }
    for (let i = 0; i < 4; i++) one()
    assert.deepEqual(swept, [0, 1, 2, 3])
  })

  it('tells keys of equal hashes apart by what it is told is the same', () => {
    const table = new KeyTable<{ key: readonly number[]; hash: number }>(
      (a, b) => (a as number[])[0] === (b as number[])[0],
    )
    const [one, two] = [
      { key: [1], hash: 7 },
      { key: [2], hash: 7 },
    ]
    table.add(one)
    table.add(two)
    assert.equal(table.get([1], 7), one)
    assert.equal(table.get([2], 7), two)
    assert.equal(table.get([3], 7), undefined)
    assert.equal(table.get([1], 8), undefined)
  })
})
