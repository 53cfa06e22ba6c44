import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { windowPages } from '../../../src/engine/query/window-pages.ts'
import type { BackendReader } from '../../../src/state/backend.ts'
import { MemoryBackend } from '../../../src/state/backends/index.ts'
import { statePrefix, writeTime } from '../../../src/state/stores/index.ts'

const prefix = statePrefix(3, 1)

function rowKey(start: number, key: string): Buffer {
  const time = Buffer.alloc(8)
  writeTime(time, start, 0)
  return Buffer.concat([time, Buffer.from(key)])
}

/** A database with a row for each start and key, and how often it was looked into. */
function windows(rows: readonly (readonly [start: number, key: string])[]) {
  const backend = new MemoryBackend()
  const batch = backend.batch()
  for (const [start, key] of rows) batch.put(Buffer.concat([prefix, rowKey(start, key)]), Buffer.from(`${start}`))
  batch.commit()
  const looks = { n: 0 }
  const collect = (range: Parameters<BackendReader['collect']>[0]): Uint8Array[] => {
    looks.n++
    return backend.collect(range)
  }
  return { reader: Object.assign(Object.create(backend) as BackendReader, { collect }), looks }
}

async function startsOf(reader: BackendReader, key: string, from: number, to: number, reverse = false) {
  const settled = { n: 0 }
  const pages = windowPages(reader, prefix, { key: Buffer.from(key), from, to, reverse }, () => void settled.n++)
  const starts: number[] = []
  for (let page = await pages.next(); page.length > 0; page = await pages.next()) {
    for (const [own, value] of page) {
      assert.deepEqual(own, rowKey(Number(value), key))
      starts.push(Number(value))
    }
  }
  return { starts, settled: settled.n }
}

describe("pages of a key's windows", () => {
  it('have those that start in a stretch of time, in order, and no other', async () => {
    const row = fc.tuple(fc.nat({ max: 300 }), fc.constantFrom('a', 'b', 'c', 'bb'))
    const times = fc.tuple(fc.nat({ max: 310 }), fc.nat({ max: 310 }))
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 400 }), times, fc.boolean(), async (rows, [from, to], reverse) => {
        const { reader } = windows(rows)
        const expected = [
          ...new Set(
            rows.filter(([start, key]) => key === 'b' && start >= from && start <= to).map(([start]) => start),
          ),
        ]
        const { starts } = await startsOf(reader, 'b', from, to, reverse)
        assert.deepEqual(
          starts,
          expected.toSorted((a, b) => (reverse ? b - a : a - b)),
        )
      }),
    )
  })

  it('do not look for more than is wanted', async () => {
    const { reader, looks } = windows(Array.from({ length: 500 }, (_, start) => [start, 'b'] as const))
    const pages = windowPages(
      reader,
      prefix,
      { key: Buffer.from('b'), from: 100, to: 400, reverse: false, limit: 2 },
      undefined,
    )
    assert.deepEqual(
      (await pages.next()).map(([, value]) => String(value)),
      ['100', '101'],
    )
    assert.deepEqual(await pages.next(), [])
    assert.equal(looks.n, 2)
  })

  for (const reverse of [false, true]) {
    it(`leave others their turn, also where a key has few of very many: ${reverse ? 'from the end' : 'from the start'}`, async () => {
      const rows = Array.from({ length: 3000 }, (_, start) => [start, start % 1000 === 500 ? 'b' : 'a'] as const)
      const { reader, looks } = windows(rows)
      let [most, last, over] = [0, 0, false]
      const watch = async (): Promise<void> => {
        while (!over) {
          most = Math.max(most, looks.n - last)
          last = looks.n
          await setImmediate()
        }
      }
      const watching = watch()
      const { starts, settled } = await startsOf(reader, 'b', 0, 5000, reverse)
      over = true
      await watching
      assert.deepEqual(starts, reverse ? [2500, 1500, 500] : [500, 1500, 2500])
      assert.ok(most <= 512, `${most} looks in one turn`)
      // each time that others had their turn
      assert.ok(settled >= looks.n / 512)
    })
  }
})
