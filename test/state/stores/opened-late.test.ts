import assert from 'node:assert/strict'
import { storeVault } from '../../../src/dsl/stores/content.ts'
import { TaskStores } from '../../../src/engine/runtime/steps/stores.ts'
import { serdes, stores } from '../../../src/index.ts'
import { MemoryBackend } from '../../../src/state/backends/memory.ts'
import { CachePool } from '../../../src/state/stores/index.ts'
import { write } from './write.ts'

const rows = stores.keyValue('rows', { key: serdes.string(), value: serdes.number() })
const old = stores.keyValue('old', { key: serdes.string(), value: serdes.number() })

describe('a store that is opened in a later epoch than its task', () => {
  it('finds what an epoch that is not written has changed, however little it may keep', () => {
    const backend = new MemoryBackend()
    const specs = [rows, old].map((handle) => storeVault.open(handle).spec)
    const host = { reader: backend, storeId: (name: string) => (name === 'rows' ? 1 : 2) }
    const task = new TaskStores(specs, host, 0, 1, new CachePool(1 << 10))
    task.keyValue('old').put('a', 1, 1)
    write(backend, task, 1)
    const lost = { put: () => {}, delete: () => {}, clearLater: () => {} }
    task.seal(lost)
    task.seal(lost)
    // epochs 2 and 3 are under way
    const table = task.keyValue('rows')
    const keys = Array.from({ length: 2000 }, (_, i) => `k${i}`)
    for (const [i, key] of keys.entries()) table.put(key, i, 1)
    task.seal(lost)
    task.written(2)
    task.written(3)
    for (const [i, key] of keys.entries()) assert.equal(table.get(key), i)
  })
})
