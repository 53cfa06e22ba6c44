import type { TaskStores } from '../../../src/engine/runtime/steps/stores.ts'
import type { MemoryBackend } from '../../../src/state/backends/index.ts'

/** An epoch of a task's stores, into the database. */
export function write(backend: MemoryBackend, all: TaskStores, epoch: number): void {
  const batch = backend.batch()
  all.seal({
    put: (key, value) => batch.put(key, value),
    delete: (key) => batch.delete(key),
    clearLater: () => {},
  })
  batch.commit()
  all.written(epoch)
}
