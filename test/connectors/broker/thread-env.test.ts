import { equal } from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const threadEnv = new URL('../../../src/connectors/broker/apart/thread-env.ts', import.meta.url)

/** What a thread has for a compile cache, and its owner. @param enable what the owner does first */
async function caches(enable: string): Promise<{ readonly owner?: string; readonly thread?: string }> {
  const program = `
    import * as modules from 'node:module'
    import { Worker } from 'node:worker_threads'
    import { threadEnv } from '${threadEnv.href}'
    ${enable}
    const thread = "import('node:worker_threads').then(async ({ parentPort }) => parentPort.postMessage((await import('node:module')).getCompileCacheDir()))"
    new Worker(thread, { eval: true, env: threadEnv() }).on('message', (thread) =>
      console.log(JSON.stringify({ owner: modules.getCompileCacheDir(), thread })))
  `
  const { NODE_COMPILE_CACHE: _, ...env } = process.env
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { env })
  return JSON.parse(stdout) as { owner?: string; thread?: string }
}

describe('the environment of a thread', () => {
  it('has the compile cache of the thread that starts it', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'dhaara-compiled-'))
    try {
      const { owner, thread } = await caches(`modules.enableCompileCache(${JSON.stringify(dir)})`)
      equal(owner?.startsWith(dir), true)
      equal(thread, owner)
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })

  it('has none where that one has none', async () => {
    const { owner, thread } = await caches('')
    equal(owner, undefined)
    equal(thread, undefined)
  })
})
