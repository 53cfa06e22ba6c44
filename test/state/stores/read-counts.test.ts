import assert from 'node:assert/strict'
import { storeVault } from '../../../src/dsl/stores/content.ts'
import { TaskStores } from '../../../src/engine/runtime/stores.ts'
import { serdes, stores } from '../../../src/index.ts'
import { MemoryBackend } from '../../../src/state/backends/memory.ts'
import { CachePool } from '../../../src/state/stores/index.ts'
import { write } from './write.ts'

const rows = stores.keyValue('rows', { key: serdes.string(), value: serdes.number() })

function open(backend: MemoryBackend, epoch: number): TaskStores {
  const host = { reader: backend, storeId: () => 1 }
  return new TaskStores([storeVault.open(rows).spec], host, 0, epoch, new CachePool(1 << 20))
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
})
