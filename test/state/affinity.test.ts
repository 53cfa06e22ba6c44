import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { embeddedBroker, StreamsApp } from '../../src/index.ts'
import { Affinity } from '../../src/state/affinity.ts'

const listOf = (path: string): string =>
  /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync(`${path}/status`, 'latin1'))?.[1] ?? ''

/** Where all threads may run but the one that runs the tests. */
function others(): string[] {
  const found = new Set<string>()
  for (const thread of readdirSync('/proc/self/task')) {
    if (Number(thread) !== process.pid) found.add(listOf(`/proc/self/task/${thread}`))
  }
  return [...found]
}

const own = (): string => listOf(`/proc/${process.pid}`)

/** Processors of which this process may have some: [0-2,5] as [0, 1, 2, 5]. */
const allowed = (): number[] =>
  own()
    .split(',')
    .flatMap((part) => {
      const [from = 0, to = from] = part.split('-').map(Number)
      return Array.from({ length: to - from + 1 }, (_, i) => from + i)
    })

async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; !what(); tries++) {
    assert.ok(tries < 500, 'does not come to pass')
    await sleep(10)
  }
}

const unwarned = (reason: string): void => assert.fail(reason)

if (process.platform === 'linux') {
  describe('processors of threads', () => {
    const before = own()
    const cpus = { queries: [allowed()[0] as number], tasks: [allowed().at(-1) as number] }
    const [forQueries, forTasks] = [String(cpus.queries[0]), String(cpus.tasks[0])]
    const unchanged = (): void => assert.deepEqual([own(), ...others()], [before, before])

    it('are the given ones, also of threads that come later, until they are released', async () => {
      const affinity = new Affinity(cpus, unwarned)
      await affinity.start()
      assert.deepEqual([own(), ...others()], [forQueries, forTasks])
      const source = `import { parentPort } from 'node:worker_threads'; parentPort.once('message', () => process.exit())`
      const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`))
      await once(worker, 'online')
      await until(() => others().join() === forTasks)
      await affinity.release()
      unchanged()
      worker.postMessage('end')
      await once(worker, 'exit')
    })

    it("are an app's while it runs", async () => {
      const broker = embeddedBroker()
      const topology = new URL('../engine/app/children/by-city.ts', import.meta.url)
      const warned: unknown[] = []
      const logger = { debug() {}, info() {}, warn: (fields: object) => void warned.push(fields), error() {} }
      const app = new StreamsApp({ applicationId: 'pinned', topology, workers: 1, broker, cpus, logger })
      await app.start()
      await until(() => others().join() === forTasks)
      assert.equal(own(), forQueries)
      const second = new Affinity(cpus, (reason) => void warned.push(reason))
      await second.start()
      assert.match(String(warned.pop()), /another app of this process/)
      await second.release()
      assert.equal(own(), forQueries)
      await app.close()
      unchanged()
      assert.deepEqual(warned, [])
      await broker[Symbol.asyncDispose]()
    })

    it('stay as they were where the system refuses', async () => {
      const impossible = [2 ** 20]
      for (const refused of [
        { queries: cpus.queries, tasks: impossible },
        { queries: impossible, tasks: cpus.tasks },
      ]) {
        const warned: string[] = []
        const affinity = new Affinity(refused, (reason) => void warned.push(reason))
        await affinity.start()
        assert.equal(warned.length, 1)
        assert.match(warned[0] as string, /taskset/)
        unchanged()
        await affinity.release()
      }
    })

    it('stay as they were where there is no taskset, or no shell', async () => {
      const path = mkdtempSync(join(tmpdir(), 'dhaara-affinity-'))
      const { PATH } = process.env
      try {
        process.env['PATH'] = path
        for (const expected of [/ENOENT/, /taskset.*not found/]) {
          const warned: string[] = []
          const affinity = new Affinity(cpus, (reason) => void warned.push(reason))
          await affinity.start()
          assert.equal(warned.length, 1)
          assert.match(warned[0] as string, expected)
          unchanged()
          await affinity.release()
          if (expected.source === 'ENOENT') symlinkSync('/bin/sh', join(path, 'sh'))
        }
      } finally {
        process.env['PATH'] = PATH
        rmSync(path, { recursive: true })
      }
    })
  })
}

describe('the option cpus', () => {
  it('names processors', () => {
    const topology = new URL('../engine/app/children/by-city.ts', import.meta.url)
    for (const cpus of [
      { queries: [], tasks: [1] },
      { queries: [0], tasks: [-1] },
      { queries: [0.5], tasks: [1] },
    ]) {
      assert.throws(() => new StreamsApp({ applicationId: 'pinned', topology, workers: 1, cpus }), {
        code: 'DHAARA_OPTION',
      })
    }
  })
})
