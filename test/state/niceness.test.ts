import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { openRocks } from '../../src/state/backends/index.ts'
import { compacting, lowerThisThread, processing } from '../../src/state/niceness.ts'

/** The niceness of each thread of this process, by name: proc(5), field 19 of stat. */
function threads(): Map<string, number> {
  const found = new Map<string, number>()
  for (const thread of readdirSync('/proc/self/task')) {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'latin1')
    const end = stat.lastIndexOf(')')
    found.set(stat.slice(stat.indexOf('(') + 1, end), Number(stat.slice(end + 2).split(' ')[16]))
  }
  return found
}

const main = (): number =>
  Number(
    readFileSync(`/proc/${process.pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ')[16],
  )

describe('niceness of threads', () => {
  if (process.platform === 'linux') {
    it('is lowered for the one that asks alone', async () => {
      const before = main()
      const source = `
        import { workerData, parentPort } from 'node:worker_threads'
        const { lowerThisThread } = await import(workerData.module)
        lowerThisThread(workerData.niceness)
        parentPort.once('message', () => process.exit())
        parentPort.postMessage('lowered')`
      const module = new URL('../../src/state/niceness.ts', import.meta.url).href
      const workerData = { module, niceness: processing }
      const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`)
      const worker = new Worker(url, { name: 'lowered', workerData })
      await once(worker, 'message')
      assert.equal(threads().get('lowered'), processing)
      assert.equal(main(), before)
      worker.postMessage('end')
      await once(worker, 'exit')
    })

    it('is lowered for those of a database that compact', async () => {
      const path = mkdtempSync(join(tmpdir(), 'dhaara-niceness-'))
      const backend = await openRocks(path)
      assert.equal(threads().get('rocksdb:low'), compacting)
      await backend.close()
      rmSync(path, { recursive: true })
    })
  }

  it('stays as it is where the system refuses', () => {
    const before = process.platform === 'linux' ? main() : 0
    // nobody may have a niceness that is no number of the system's range
    lowerThisThread(2 ** 20)
    if (process.platform === 'linux') assert.equal(main(), before)
  })
})
