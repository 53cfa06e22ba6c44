import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { MemoryBackend } from '../../../src/state/backends/memory.ts'
import { CachePool, msgpackValues, statePrefix, typedKeys, WindowTable } from '../../../src/state/stores/index.ts'

type Clear = [gte: Uint8Array, lt: Uint8Array]

/** A window table whose epochs are sealed and written by hand, and what it ought to hold. */
class Bench {
  readonly backend = new MemoryBackend()
  readonly rows = new Map<number, Map<string, number>>()
  table: WindowTable
  clears = 0
  private epoch = 1
  private sealed: { epoch: number; puts: [Uint8Array, Uint8Array | undefined][]; clears: Clear[] }[] = []

  constructor() {
    this.table = this.open()
  }

  put(start: number, key: string, value: number): void {
    const bucket = this.table.bucket(start)
    this.table.set(bucket, bucket.load(key), value, value)
    const rows = this.rows.get(start) ?? new Map<string, number>()
    this.rows.set(start, rows.set(key, value))
  }

  delete(start: number, key: string): void {
    const bucket = this.table.bucket(start)
    this.table.set(bucket, bucket.load(key), undefined, 0)
    this.rows.get(start)?.delete(key)
  }

  drop(start: number): void {
    this.table.drop(start)
    this.rows.delete(start)
  }

  seal(): void {
    const one = { epoch: this.epoch++, puts: [] as [Uint8Array, Uint8Array | undefined][], clears: [] as Clear[] }
    this.table.seal({
      put: (key, value) => void one.puts.push([Buffer.from(key), Buffer.from(value)]),
      delete: (key) => void one.puts.push([Buffer.from(key), undefined]),
      clearLater: (gte, lt) => void one.clears.push([gte, lt]),
    })
    this.sealed.push(one)
  }

  write(): void {
    for (const { epoch, puts, clears } of this.sealed.splice(0)) {
      const batch = this.backend.batch()
      for (const [key, value] of puts) {
        if (value === undefined) batch.delete(key)
        else batch.put(key, value)
      }
      batch.commit()
      for (const [gte, lt] of clears) this.backend.clearRange(gte, lt)
      this.clears += clears.length
      this.table.written(epoch)
    }
  }

  restart(): void {
    this.seal()
    this.write()
    this.table = this.open()
  }

  get(start: number, key: string): unknown {
    return this.table.peek(start)?.load(key).value
  }

  private open(): WindowTable {
    const space = {
      reader: this.backend,
      prefix: statePrefix(1, 0),
      keys: typedKeys,
      values: msgpackValues,
      cache: new CachePool(0).share(),
    }
    return new WindowTable(space, this.epoch)
  }
}

describe('WindowTable', () => {
  it('finds what it evicted', () => {
    const bench = new Bench()
    for (let i = 0; i < 500; i++) bench.put(0, `k${i}`, i)
    bench.seal()
    bench.write()
    assert.ok(bench.table.size <= 64)
    for (let i = 0; i < 500; i++) assert.equal(bench.get(0, `k${i}`), i)
    assert.equal(bench.table.rows(bench.table.bucket(0)).length, 500)
  })

  it('opens no window by prefetching', () => {
    const bench = new Bench()
    bench.put(0, 'a', 1)
    bench.restart()
    bench.table.prefetch(0, ['a', 'a', null, 'b'])
    bench.table.prefetch(10, ['a'])
    assert.deepEqual(bench.table.liveStarts, [0])
    assert.equal(bench.table.size, 2)
  })

  it('clears neighbouring starts at once, and nothing that lives between them', () => {
    const bench = new Bench()
    for (const start of [0, 10, 20, 30]) bench.put(start, 'a', start)
    bench.seal()
    for (const start of [0, 10, 30]) bench.drop(start)
    bench.seal()
    bench.write()
    assert.equal(bench.clears, 2)
    bench.restart()
    assert.deepEqual(bench.table.liveStarts, [20])
  })

  it('keeps what is put into a start that was dropped in the same epoch', () => {
    const bench = new Bench()
    bench.put(0, 'a', 1)
    bench.put(0, 'b', 2)
    bench.restart()
    bench.drop(0)
    bench.put(0, 'b', 3)
    assert.equal(bench.get(0, 'a'), undefined)
    bench.restart()
    assert.deepEqual(
      bench.table.rows(bench.table.bucket(0)).map(({ key, value }) => [key, value]),
      [['b', 3]],
    )
  })

  it('holds what it was given, whatever is evicted, dropped, opened again and restored', () => {
    const start = fc.constantFrom(0, 10, 20)
    const key = fc.integer({ min: 0, max: 120 }).map((i) => `k${i}`)
    const one = fc.oneof(
      { weight: 40, arbitrary: fc.tuple(fc.constant('put' as const), start, key) },
      { weight: 10, arbitrary: fc.tuple(fc.constant('delete' as const), start, key) },
      { weight: 2, arbitrary: fc.tuple(fc.constantFrom('drop' as const, 'rows' as const), start, key) },
      { weight: 3, arbitrary: fc.tuple(fc.constantFrom('seal' as const, 'write' as const), start, key) },
      { weight: 1, arbitrary: fc.tuple(fc.constant('restart' as const), start, key) },
    )
    fc.assert(
      fc.property(fc.array(one, { maxLength: 500, size: 'max' }), (steps) => {
        const bench = new Bench()
        for (const [i, [action, at, name]] of steps.entries()) {
          if (action === 'put') bench.put(at, name, i)
          else if (action === 'delete') bench.delete(at, name)
          else if (action === 'drop') bench.drop(at)
          else if (action === 'rows') bench.table.rows(bench.table.bucket(at))
          else bench[action]()
          assert.equal(bench.get(at, name), bench.rows.get(at)?.get(name))
        }
        for (const at of [0, 10, 20]) {
          const found = bench.table.rows(bench.table.bucket(at)).map(({ key: name, value }) => [name, value])
          assert.deepEqual(found, [...(bench.rows.get(at) ?? [])].sort())
        }
      }),
      { numRuns: 100 },
    )
  })
})
