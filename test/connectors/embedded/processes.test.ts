import assert from 'node:assert/strict'
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { openEmbedded } from '../../../src/connectors/broker/index.ts'
import { connectDirectory, embeddedBroker, readOwner } from '../../../src/connectors/embedded/index.ts'
import { recordsOf } from '../broker/records.ts'
import { temporaryDirectories } from './backends.ts'

interface Child {
  readonly process: ChildProcessByStdio<Writable, Readable, null>
  readonly lines: Interface
}

describe('two processes and one directory', () => {
  const directory = temporaryDirectories()
  const children: Child[] = []
  afterEach(async () => {
    for (const child of children.splice(0)) await end(child, 'SIGKILL')
  })

  const start = (name: string, dir: string): Child => {
    const script = fileURLToPath(new URL(`children/${name}.ts`, import.meta.url))
    const process_ = spawn(process.execPath, [script, dir], { stdio: ['pipe', 'pipe', 'inherit'] })
    const child = { process: process_, lines: createInterface({ input: process_.stdout }) }
    children.push(child)
    return child
  }
  const end = async ({ process: child }: Child, signal?: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    if (signal === undefined) child.stdin.end()
    else child.kill(signal)
    await exit
  }

  it('refuse the second owner, naming the first', async () => {
    const dir = directory()
    const holder = start('hold', dir)
    await once(holder.lines, 'line')
    const { pid } = holder.process
    await assert.rejects(openEmbedded(embeddedBroker({ dir })), (error: Error & { code: string }) => {
      assert.equal(error.code, 'DHAARA_STATE_LOCKED')
      assert.match(error.message, new RegExp(`^${dir} is held by process ${pid}, since .*kill ${pid}`))
      return true
    })
    await end(holder)
    assert.equal(readOwner(dir), undefined)
    await (await openEmbedded(embeddedBroker({ dir }))).release()
  })

  it('let the second one go through the first, or open the directory when that has gone', async () => {
    const dir = directory()
    const holder = start('hold', dir)
    await once(holder.lines, 'line')
    const through = await connectDirectory(dir)
    assert.equal(through.remote, true)
    assert.deepEqual(await through.call('whoami'), { pid: holder.process.pid })
    await through.produce('t', [{ key: Buffer.from('k'), value: Buffer.from('v') }])
    await end(holder, 'SIGKILL')
    // Whoever only reads asks the next one that can tell; a write may have been made, and is not repeated.
    assert.deepEqual(await through.topics(), [{ name: 't', partitions: [{ start: 0, end: 1 }] }])
    const values: string[] = []
    for await (const batch of through.consume({ topic: 't' })) values.push(...batch.values.map(String))
    assert.deepEqual(values, ['v'])
    await assert.rejects(through.produce('t', []), { code: 'DHAARA_OWNER_GONE' })
    await through.close()

    const direct = await connectDirectory(dir)
    assert.equal(direct.remote, false)
    assert.deepEqual(await direct.topics(), [{ name: 't', partitions: [{ start: 0, end: 1 }] }])
    await assert.rejects(direct.call('whoami'), { code: 'DHAARA_REQUEST_UNKNOWN' })
    await direct.close()
  })

  it('find all that was acknowledged, and whole frames only, after kill -9', async () => {
    const dir = directory()
    for (let round = 0; round < 3; round++) {
      const before = round === 0 ? 0 : await total(dir)
      const producer = start('produce-forever', dir)
      let acknowledged = 0
      producer.lines.on('line', (line) => {
        acknowledged = Number(line)
        if (acknowledged >= 400 * (round + 1)) producer.process.kill('SIGKILL')
      })
      await once(producer.process, 'close')
      assert.ok(acknowledged > 0)
      const values = await valuesOf(dir)
      const added = values.length - before
      assert.ok(added >= acknowledged, `${added} of ${acknowledged}`)
      // A flush is one commit: 20 or nothing, over all partitions.
      assert.equal(added % 20, 0)
      if (round === 0) {
        const sorted = values.map(Number).sort((a, b) => a - b)
        assert.deepEqual(
          sorted,
          Array.from({ length: added }, (_, i) => i),
        )
      }
    }
  }).timeout(60_000)

  const valuesOf = async (dir: string): Promise<string[]> => {
    const lease = await openEmbedded(embeddedBroker({ dir }))
    const values: string[] = []
    for (let p = 0; p < 3; p++) {
      for (let offset = 0; ; ) {
        const batch = lease.log.fetch('t', p, offset)
        if (batch === undefined) break
        values.push(...recordsOf(batch).map((record) => record.value!))
        offset = batch.nextOffset
      }
    }
    await lease.release()
    return values
  }
  const total = async (dir: string): Promise<number> => (await valuesOf(dir)).length
})
