import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { MemoryBackend } from '../../../src/state/backends/memory.ts'
import { CachePool, DueIndex, msgpackValues, statePrefix, typedKeys } from '../../../src/state/stores/index.ts'

/** An index on a database in memory; epochs are sealed and written by hand. */
class Life {
  readonly backend = new MemoryBackend()
  index!: DueIndex
  private epoch = 1
  private waiting: (() => void)[] = []

  private readonly cacheBytes: number

  constructor(cacheBytes: number) {
    this.cacheBytes = cacheBytes
    this.restart()
  }

  seal(): void {
    const batch = this.backend.batch()
    const clears: [Uint8Array, Uint8Array][] = []
    this.index.seal({
      put: (key, value) => batch.put(Buffer.from(key), Buffer.from(value)),
      delete: (key) => batch.delete(key),
      clearLater: (gte, lt) => void clears.push([Buffer.from(gte), Buffer.from(lt)]),
    })
    const epoch = this.epoch++
    this.waiting.push(() => {
      batch.commit()
      for (const [gte, lt] of clears) this.backend.clearRange(gte, lt)
      this.index.written(epoch)
    })
  }

  write(): void {
    for (const write of this.waiting.splice(0)) write()
  }

  /** Numbers of epochs begin anew. */
  restart(): void {
    this.waiting = []
    this.epoch = 1
    const cache = new CachePool(this.cacheBytes).share()
    const space = { reader: this.backend, prefix: statePrefix(1, 0), keys: typedKeys, values: msgpackValues, cache }
    this.index = new DueIndex(space, this.epoch)
  }
}

type Step = 'checkpoint' | 'seal' | 'write' | 'restart' | { readonly at: number } | { readonly drop: number }

const span = 10
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ at: fc.nat(59) }) },
    { weight: 1, arbitrary: fc.record({ drop: fc.nat(5) }) },
    { weight: 3, arbitrary: fc.constantFrom<Step>('checkpoint', 'seal', 'write', 'restart') },
  ),
  { maxLength: 60 },
)

describe('DueIndex', () => {
  it('gives what was added to a stretch since it was dropped, through restarts', () => {
    fc.assert(
      fc.property(steps, fc.constantFrom(0, 1e6), (all: Step[], cacheBytes) => {
        const life = new Life(cacheBytes)
        const added = new Map<number, string[]>()
        let n = 0
        for (const step of all) {
          if (typeof step === 'object' && 'at' in step) {
            const start = Math.floor(step.at / span) * span
            const key = `k${n++}`
            life.index.add(start, key, step.at)
            added.set(start, [...(added.get(start) ?? []), `${key}@${step.at}`])
          } else if (typeof step === 'object') {
            life.index.drop(step.drop * span)
            added.delete(step.drop * span)
          } else if (step === 'seal') life.seal()
          else if (step === 'write') life.write()
          else {
            life.seal()
            life.write()
            if (step === 'restart') life.restart()
          }
        }
        for (const [start, dues] of added) {
          assert.ok(life.index.liveStarts.includes(start))
          const taken = new Set(life.index.take(start).map(({ key, at }) => `${String(key)}@${at}`))
          assert.deepEqual(
            dues.filter((due) => !taken.has(due)),
            [],
          )
        }
        for (const start of [...life.index.liveStarts]) life.index.drop(start)
        life.seal()
        life.write()
        assert.deepEqual([...life.backend.range({})], [])
      }),
      { numRuns: 300 },
    )
  })

  it('writes one row for all that an epoch adds to a stretch', () => {
    const life = new Life(1e6)
    for (let i = 0; i < 1000; i++) life.index.add(0, i, i % 10)
    life.seal()
    life.write()
    assert.equal([...life.backend.range({})].length, 1)
  })

  it('lies in rows that a topic takes, however many keys an epoch arms', () => {
    const life = new Life(1e9)
    const keys = Array.from({ length: 60_000 }, (_, n) => `order-number-${n}`)
    for (const key of keys) life.index.add(0, key, 7)
    life.seal()
    life.write()
    const rows = [...life.backend.range({ gte: Buffer.alloc(0), lt: Buffer.of(0xff) })]
    assert.ok(rows.length > 1)
    for (const [, row] of rows) assert.ok(row.length < 300 * 1024, `${row.length}`)
    life.restart()
    assert.deepEqual(
      life.index.take(0).map(({ key }) => key),
      keys,
    )
  })
})
