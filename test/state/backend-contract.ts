/** What every back end must do: one suite, run for each of them; a skipped case says why. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Backend, RangeOptions } from '../../src/state/backend.ts'

export interface Capabilities {
  readonly name: string
  open(): Promise<Backend>
  /** Closes and opens again, with what was committed; or why it cannot. */
  readonly reopen: ((backend: Backend) => Promise<Backend>) | string
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')
const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString('latin1')
const rows = (backend: Backend, range: RangeOptions): string[] =>
  [...backend.range(range)].map(([key, value]) => `${text(key)}=${text(value)}`)

export function backendContract(capabilities: Capabilities): void {
  describe(`${capabilities.name} back end`, () => {
    let backend: Backend
    const fill = (...pairs: readonly string[]): void => {
      const batch = backend.batch()
      for (const pair of pairs) batch.put(bytes(pair[0] as string), bytes(pair.slice(2)))
      batch.commit()
    }

    beforeEach(async () => {
      backend = await capabilities.open()
    })
    afterEach(() => backend.close())

    it('gives undefined for what it does not have, and tells it from an empty value', () => {
      fill('a=')
      assert.equal(text(backend.get(bytes('a'))), '')
      assert.equal(backend.get(bytes('b')), undefined)
      assert.deepEqual(backend.getMany([bytes('b'), bytes('a'), bytes('b')]).map(text), [undefined, '', undefined])
      assert.deepEqual(backend.getMany([]), [])
    })

    it('shows a batch as a whole at commit, the last write of a key winning', () => {
      const batch = backend.batch()
      batch.put(bytes('a'), bytes('1'))
      batch.put(bytes('b'), bytes('2'))
      batch.delete(bytes('a'))
      batch.put(bytes('c'), bytes('3'))
      batch.put(bytes('c'), bytes('4'))
      assert.deepEqual([batch.count, batch.bytes], [5, 9])
      assert.deepEqual(rows(backend, {}), [])
      batch.commit()
      assert.deepEqual(rows(backend, {}), ['b=2', 'c=4'])
      assert.deepEqual([batch.count, batch.bytes], [0, 0])
    })

    it('fills a batch again after its commit', () => {
      const batch = backend.batch()
      batch.put(bytes('a'), bytes('1'))
      batch.commit({ sync: true })
      batch.put(bytes('b'), bytes('2'))
      batch.commit()
      backend.batch().commit()
      assert.deepEqual(rows(backend, {}), ['a=1', 'b=2'])
    })

    it('copies the bytes that it is given', () => {
      const [key, value] = [bytes('k'), bytes('v')]
      const batch = backend.batch()
      batch.put(key, value)
      key.fill(0)
      value.fill(0)
      batch.commit()
      assert.deepEqual(rows(backend, {}), ['k=v'])
    })

    it('takes a Uint8Array that is a window on a larger buffer', () => {
      const larger = new Uint8Array([1, 2, 3, 4, 5])
      const batch = backend.batch()
      batch.put(larger.subarray(1, 3), larger.subarray(3, 5))
      batch.commit()
      assert.deepEqual([...(backend.get(new Uint8Array([2, 3])) ?? [])], [4, 5])
      assert.equal(rows(backend, { gte: larger.subarray(1, 2), lt: larger.subarray(2, 3) }).length, 1)
    })

    it('orders keys as unsigned bytes, a prefix first', () => {
      fill('\xff=4', '\x7f=2', '\x80=3', '\x00=1')
      const batch = backend.batch()
      batch.put(bytes('\x00\x00'), bytes('1b'))
      batch.commit()
      assert.deepEqual(rows(backend, {}), ['\x00=1', '\x00\x00=1b', '\x7f=2', '\x80=3', '\xff=4'])
    })

    it('bounds, reverses and limits ranges', () => {
      fill('a=1', 'b=2', 'c=3', 'd=4')
      const [b, c] = [bytes('b'), bytes('c')]
      assert.deepEqual(rows(backend, { gte: b, lt: c }), ['b=2'])
      assert.deepEqual(rows(backend, { gt: b, lte: c }), ['c=3'])
      assert.deepEqual(rows(backend, { gte: b, lte: c, reverse: true }), ['c=3', 'b=2'])
      assert.deepEqual(rows(backend, { lt: c, reverse: true, limit: 1 }), ['b=2'])
      assert.deepEqual(rows(backend, { gt: b }), ['c=3', 'd=4'])
      assert.deepEqual(rows(backend, { gte: c, lt: b }), [])
      assert.deepEqual(rows(backend, { limit: 0 }), [])
      assert.deepEqual(backend.collect({ gte: b, lte: c }).map(text), ['b', '2', 'c', '3'])
    })

    it('lets both hold when a bound is given twice', () => {
      fill('a=1', 'b=2', 'c=3', 'd=4')
      const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(bytes) as [Buffer, Buffer, Buffer, Buffer]
      assert.deepEqual(rows(backend, { gte: a, gt: b, lt: d, lte: c }), ['c=3'])
      assert.deepEqual(rows(backend, { gte: b, gt: a, lt: c, lte: d }), ['b=2'])
    })

    it('iterates over the rows of the moment it began, and over the newest ones the next time', () => {
      fill(...Array.from({ length: 26 }, (_, i) => `${String.fromCharCode(97 + i)}=old`))
      const range = backend.range({})
      const iterator = range[Symbol.iterator]()
      assert.equal(text(iterator.next().value?.[0]), 'a')
      fill('b=new', 'z=new')
      backend.clearRange(bytes('c'), bytes('y'))
      const seen: string[] = []
      for (let next = iterator.next(); !next.done; next = iterator.next()) seen.push(text(next.value[1]) as string)
      assert.deepEqual(seen, new Array(25).fill('old'))
      assert.deepEqual(
        [...range].map(([, value]) => text(value)),
        ['old', 'new', 'old', 'new'],
      )
    })

    it('ends an iteration that is left early, for good', () => {
      fill('a=1', 'b=2')
      const iterator = backend.range({})[Symbol.iterator]()
      iterator.next()
      iterator.return?.()
      assert.equal(iterator.next().done, true)
      for (const _ of backend.range({})) break
    })

    it('iterates over more rows than one fetch brings', () => {
      const batch = backend.batch()
      const key = Buffer.alloc(4)
      for (let i = 0; i < 3000; i++) {
        key.writeUInt32BE(i)
        batch.put(key, key)
      }
      batch.commit()
      const numbers = [...backend.range({})].map(([, value]) => Buffer.from(value).readUInt32BE())
      assert.deepEqual(
        numbers,
        Array.from({ length: 3000 }, (_, i) => i),
      )
    })

    it('clears a half-open range, any number of times', () => {
      fill('a=1', 'b=2', 'c=3', 'd=4')
      for (let i = 0; i < 2; i++) {
        backend.clearRange(bytes('b'), bytes('d'))
        assert.deepEqual(rows(backend, {}), ['a=1', 'd=4'])
      }
      backend.clearRange(bytes('d'), bytes('a'))
      assert.equal(rows(backend, {}).length, 2)
      fill('c=5')
      assert.deepEqual(rows(backend, {}), ['a=1', 'c=5', 'd=4'])
    })

    it('tells about how many bytes it holds', () => {
      const batch = backend.batch()
      for (let i = 0; i < 100; i++) batch.put(bytes(`${i}`), Buffer.alloc(1000, i))
      batch.commit()
      assert.ok(backend.approximateBytes() >= 100_000, `${backend.approximateBytes()}`)
    })

    it('refuses calls after it was closed, and closes twice', async () => {
      fill('a=1')
      const [batch, iterator] = [backend.batch(), backend.range({})[Symbol.iterator]()]
      batch.put(bytes('b'), bytes('2'))
      await backend.close()
      await backend.close()
      const closed = { code: 'DHAARA_APP_STATE' }
      assert.throws(() => backend.get(bytes('a')), closed)
      assert.throws(() => backend.collect({}), closed)
      assert.throws(() => backend.batch(), closed)
      assert.throws(() => batch.commit(), closed)
      assert.throws(() => [...backend.range({})], closed)
      assert.throws(() => backend.clearRange(bytes('a'), bytes('b')), closed)
      iterator.return?.()
    })

    const { reopen } = capabilities
    if (typeof reopen !== 'string') {
      it('has after reopening what was committed before', async () => {
        fill('a=1', 'b=2')
        backend.batch().put(bytes('c'), bytes('never committed'))
        backend = await reopen(backend)
        assert.deepEqual(rows(backend, {}), ['a=1', 'b=2'])
      })
    }

    it('agrees with a sorted list under any writes, clears, reads and ranges', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), (steps) => agrees(capabilities, steps)),
        {
          numRuns: 60,
        },
      )
    })
  })
}

type Step =
  | { readonly batch: readonly (readonly [key: string, value: string | undefined])[] }
  | { readonly clear: readonly [string, string] }
  | {
      readonly range: { readonly [end in 'gte' | 'gt' | 'lt' | 'lte']?: string }
      readonly reverse: boolean
      readonly limit?: number
    }

// Few and short keys, with the bytes at both ends, so that writes and bounds meet.
const key = fc
  .array(fc.constantFrom('\x00', '\x01', 'a', '\xfe', '\xff'), { maxLength: 3 })
  .map((parts) => parts.join(''))
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    batch: fc.array(fc.tuple(key, fc.option(fc.string({ maxLength: 3 }), { nil: undefined })), { maxLength: 8 }),
  }),
  fc.record({ clear: fc.tuple(key, key) }),
  fc.record(
    {
      range: fc.record({ gte: key, gt: key, lt: key, lte: key }, { requiredKeys: [] }),
      reverse: fc.boolean(),
      limit: fc.nat(5),
    },
    { requiredKeys: ['range', 'reverse'] },
  ),
)

async function agrees(capabilities: Capabilities, steps: readonly Step[]): Promise<void> {
  const backend = await capabilities.open()
  const model = new Map<string, string>()
  try {
    for (const step of steps) {
      if ('batch' in step) {
        const batch = backend.batch()
        for (const [k, v] of step.batch) {
          if (v === undefined) {
            batch.delete(bytes(k))
            model.delete(k)
          } else {
            batch.put(bytes(k), Buffer.from(v))
            model.set(k, Buffer.from(v).toString('latin1'))
          }
        }
        batch.commit()
      } else if ('clear' in step) {
        const [from, to] = step.clear
        backend.clearRange(bytes(from), bytes(to))
        for (const k of model.keys()) if (k >= from && k < to) model.delete(k)
      } else {
        const { gte, gt, lt, lte } = step.range
        let expected = [...model].sort(([a], [b]) => (a < b ? -1 : 1))
        expected = expected.filter(
          ([k]) =>
            (gte === undefined || k >= gte) &&
            (gt === undefined || k > gt) &&
            (lt === undefined || k < lt) &&
            (lte === undefined || k <= lte),
        )
        if (step.reverse) expected.reverse()
        const ends = Object.fromEntries(Object.entries(step.range).map(([end, k]) => [end, bytes(k)]))
        const options: RangeOptions = {
          ...ends,
          reverse: step.reverse,
          ...(step.limit === undefined ? {} : { limit: step.limit }),
        }
        const want = expected.slice(0, step.limit ?? expected.length).flat()
        assert.deepEqual([...backend.range(options)].flat().map(text), want)
        assert.deepEqual(backend.collect(options).map(text), want)
        const blocks = [...backend.range(options).blocks()]
        assert.deepEqual(blocks.flat().map(text), want)
        assert.ok(blocks.every((block) => block.length > 0))
        for (const values of [false, true]) {
          const texts = [...backend.range(options).textBlocks(values)].flat()
          assert.deepEqual(
            texts.map((part) => text(typeof part === 'string' ? Buffer.from(part) : part)),
            want,
          )
        }
      }
    }
    const keys = [...model.keys(), 'absent']
    assert.deepEqual(backend.getMany(keys.map(bytes)).map(text), [...model.values(), undefined])
  } finally {
    await backend.close()
  }
}
