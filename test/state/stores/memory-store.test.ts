import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { storeVault } from '../../../src/dsl/stores/content.ts'
import { TaskStores } from '../../../src/engine/runtime/steps/stores.ts'
import { serdes, stores } from '../../../src/index.ts'
import { MemoryBackend } from '../../../src/state/backends/memory.ts'
import { CachePool } from '../../../src/state/stores/index.ts'
import { write } from './write.ts'

const kept = stores.keyValue('kept', { key: serdes.string(), value: serdes.number(), backend: 'memory' })

/** The store as a task has it, on a back end that counts who reads it; there is no cache for others. */
function open(backend: MemoryBackend, epoch: number) {
  const asked = { reads: 0 }
  const reader = new Proxy(backend, {
    get(target, name) {
      if (name === 'get' || name === 'getMany' || name === 'range') asked.reads++
      const found = Reflect.get(target, name) as unknown
      return typeof found === 'function' ? found.bind(target) : found
    },
  })
  const host = { reader, storeId: () => 1 }
  const all = new TaskStores([storeVault.open(kept).spec], host, 0, epoch, new CachePool(0))
  return { all, table: all.keyValue('kept'), asked }
}

describe('a store in memory', () => {
  it('is read once, when it is opened, whatever the cache; it is written with each epoch', () => {
    const step = fc.record({
      key: fc.integer({ min: 0, max: 9 }),
      value: fc.option(fc.integer(), { nil: undefined, freq: 3 }),
      next: fc.constantFrom('go on', 'go on', 'write', 'open again'),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const backend = new MemoryBackend()
        const model = new Map<string, number>()
        let epoch = 1
        let opened = open(backend, epoch)
        let { reads } = opened.asked
        for (const { key, value, next } of steps) {
          const name = `k${key}`
          assert.equal(opened.table.get(name), model.get(name))
          opened.table.put(name, value, 1)
          if (value === undefined) model.delete(name)
          else model.set(name, value)
          if (next !== 'go on') write(backend, opened.all, epoch++)
          assert.equal(opened.asked.reads, reads)
          if (next !== 'open again') continue
          opened = open(backend, epoch)
          reads = opened.asked.reads
        }
        assert.deepEqual(
          Array.from(opened.table.scan(), ({ key, value }) => [key, value]),
          [...model].toSorted(([a], [b]) => (a < b ? -1 : 1)),
        )
        assert.equal(opened.table.count(), model.size)
        assert.equal(opened.asked.reads, reads)
        write(backend, opened.all, epoch)
        // neither what was deleted nor what was only asked for stays behind
        for (let i = 0; i < 50; i++) opened.table.get(`other ${i}`)
        assert.equal((opened.table as unknown as { entries: Map<string, unknown> }).entries.size, model.size)
      }),
    )
  })
})
