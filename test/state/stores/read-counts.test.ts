import assert from 'node:assert/strict'
import { storeVault } from '../../../src/dsl/stores/content.ts'
import { TaskStores } from '../../../src/engine/runtime/steps/stores.ts'
import { serdes, stores } from '../../../src/index.ts'
import { MemoryBackend } from '../../../src/state/backends/memory.ts'
import { CachePool } from '../../../src/state/stores/index.ts'
import { write } from './write.ts'

const rows = stores.keyValue('rows', { key: serdes.string(), value: serdes.number() })

function open(backend: MemoryBackend, epoch: number, cacheBytes = 1 << 20): TaskStores {
  const host = { reader: backend, storeId: () => 1 }
  return new TaskStores([storeVault.open(rows).spec], host, 0, epoch, new CachePool(cacheBytes))
}

describe('what is counted of reads', () => {
  it('is each row that was asked for, and of those each that had to be read', () => {
    const backend = new MemoryBackend()
    const first = open(backend, 1)
    const table = first.keyValue('rows')
    for (let i = 0; i < 10; i++) table.put(`k${i}`, i, 1)
    // all rows that there are lie in memory: what is not there is nowhere
    assert.equal(table.get('nobody'), undefined)
    assert.deepEqual(first.readCounts(), { rows: { lookups: 11, misses: 0 } })
    write(backend, first, 1)

    const second = open(backend, 2)
    const again = second.keyValue('rows')
    for (const key of ['k1', 'k1', 'nobody', 'nobody']) again.get(key)
    assert.deepEqual(second.readCounts(), { rows: { lookups: 4, misses: 2 } })
    again.prefetch(['k1', 'k2', 'k3', null], 0, 4)
    for (const key of ['k1', 'k2', 'k3']) again.get(key)
    assert.deepEqual(second.readCounts(), { rows: { lookups: 7, misses: 4 } })
  })
  it('is next to none for keys without rows, of a table that was empty when it was opened', () => {
    const backend = new MemoryBackend()
    const first = open(backend, 1, 64 << 10)
    const table = first.keyValue('rows')
    const keys = 5000
    for (let i = 0; i < keys; i++) table.put(`k${i}`, i, 1)
    write(backend, first, 1)
    write(backend, first, 2)
    assert.equal(table.inMemory, false)
    for (let i = keys; i < 2 * keys; i++) assert.equal(table.get(`k${i}`), undefined)
    table.prefetch(
      Array.from({ length: keys }, (_, i) => `p${i}`),
      0,
      keys,
    )
    const { misses } = first.readCounts()['rows']!
    assert.ok(misses < keys / 10, `${misses} reads`)
    for (let i = 0; i < keys; i++) assert.equal(table.get(`k${i}`), i)

    const second = open(backend, 3, 64 << 10)
    const again = second.keyValue('rows')
    for (let i = 0; i < 10; i++) assert.equal(again.get(`nobody${i}`), undefined)
    assert.deepEqual(second.readCounts(), { rows: { lookups: 10, misses: 10 } })
  })
})
