import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Backend } from '../../../src/state/backend.ts'
import { MemoryBackend, openRocks } from '../../../src/state/backends/index.ts'

/** A directory that is gone after the suite. */
export function temporaryDirectories(): () => string {
  const made: string[] = []
  after(() => {
    for (const dir of made) rmSync(dir, { recursive: true, force: true })
  })
  return () => {
    const dir = mkdtempSync(join(tmpdir(), 'dhaara-test-'))
    made.push(dir)
    return dir
  }
}

export const backends: readonly [kind: string, open: (dir: () => string) => Promise<Backend>][] = [
  ['memory', async () => new MemoryBackend()],
  ['rocksdb', (dir) => openRocks(dir())],
]
