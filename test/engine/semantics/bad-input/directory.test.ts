import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DhaaraError } from '../../../../src/index.ts'
import { count, embeddedBroker, serdes, StreamsBuilder } from '../../../../src/index.ts'
import { temporaryDirectories } from '../../../connectors/embedded/backends.ts'
import { utf8, order, orders, fill, run, failure, all, good } from './orders.ts'

describe('what bad input gets', () => {
  const directory = temporaryDirectories()

  describe('a directory', () => {
    const filled = async (): Promise<string> => {
      const dir = directory()
      const broker = embeddedBroker({ dir, partitions: 1 })
      await fill(broker, [good(1)])
      await run(broker, orders())
      await broker[Symbol.asyncDispose]()
      return dir
    }
    const starting = async (dir: string, topology = orders()): Promise<DhaaraError> => {
      const broker = embeddedBroker({ dir, partitions: 1 })
      const error = await failure(run(broker, topology))
      await broker[Symbol.asyncDispose]()
      return error
    }

    it('that is corrupt is refused, with what to do', async () => {
      const dir = await filled()
      writeFileSync(join(dir, 'db', 'CURRENT'), 'nonsense')
      const error = await starting(dir)
      assert.equal(error.code, 'DHAARA_STATE_CORRUPT')
      assert.match(error.message, /Restore it|remove it/)
    })

    it('that is half-written is refused, with what to do', async () => {
      const dir = await filled()
      const tables = readdirSync(join(dir, 'db')).filter((name) => name.startsWith('MANIFEST'))
      for (const name of tables)
        writeFileSync(join(dir, 'db', name), readFileSync(join(dir, 'db', name)).subarray(0, 20))
      const error = await starting(dir)
      assert.equal(error.code, 'DHAARA_STATE_CORRUPT')
      assert.match(error.message, /Restore it|remove it/)
    })

    it('of a newer version is refused, and says which', async () => {
      const dir = await filled()
      const path = join(dir, 'dhaara.json')
      const file = JSON.parse(readFileSync(path, 'utf8')) as { format: number }
      writeFileSync(path, JSON.stringify({ ...file, format: 99 }))
      const error = await starting(dir)
      assert.equal(error.code, 'DHAARA_STATE_VERSION')
      assert.match(error.message, /format 99.*reads \d+/)
    })

    it('of another topology is refused, with the difference and the ways out', async () => {
      const dir = await filled()
      const builder = new StreamsBuilder()
      builder
        .stream('orders', { key: serdes.string(), value: serdes.json(order) })
        .groupByKey()
        .aggregate(count(), { store: 'other' })
      const error = await starting(dir, builder.build())
      assert.equal(error.code, 'DHAARA_STATE_INCOMPATIBLE')
      assert.match(error.message, /store 'orders-aggregate-1'.* is gone.*applicationId.*dhaara reset/)
    })

    it('that another process holds is refused, with whose it is; when that has gone nothing is lost', async () => {
      const dir = await filled()
      const script = fileURLToPath(new URL('../../../connectors/embedded/children/hold.ts', import.meta.url))
      const holder = spawn(process.execPath, [script, dir], { stdio: ['pipe', 'pipe', 'inherit'] })
      const gone = once(holder, 'exit')
      try {
        await once(holder.stdout, 'data')
        const error = await starting(dir)
        assert.equal(error.code, 'DHAARA_STATE_LOCKED')
        assert.match(error.message, new RegExp(`held by process ${holder.pid}, since`))
      } finally {
        holder.stdin.end()
        await gone
      }
      const broker = embeddedBroker({ dir, partitions: 1 })
      await fill(broker, [good(2)])
      assert.equal((await run(broker, orders())).summary.recordsIn, 1)
      await broker[Symbol.asyncDispose]()
    })

    it('on a disk that is full stops the app; with room again it goes on, and nothing is lost', async function () {
      const dir = directory()
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', dir], { stdio: 'ignore' })
      } catch {
        // nobody may mount here
        return this.skip()
      }
      try {
        const records = Array.from({ length: 60 }, (_, n) => ({ ...good(n), key: utf8(`k${n}`) }))
        const broker = embeddedBroker({ dir, partitions: 1 })
        await fill(broker, records)
        const builder = new StreamsBuilder()
        builder
          .stream('orders', { key: serdes.string(), value: serdes.json(order) })
          // what repeats itself would be compressed
          .mapValues(({ total }) => `${total} ${randomBytes(3 << 18).toString('base64')}`)
          .to('totals', { key: serdes.string(), value: serdes.string() })
        const topology = builder.build()
        const error = await failure(run(broker, topology, { checkpointInterval: 0 }))
        assert.equal(error.code, 'DHAARA_DISK_FULL')
        assert.equal(error.retryable, true)
        assert.match(error.message, new RegExp(`No room.*${dir}.*Free some space`))
        await broker[Symbol.asyncDispose]()
        execFileSync('mount', ['-o', 'remount,size=400m', dir])
        const again = embeddedBroker({ dir, partitions: 1 })
        await run(again, topology)
        assert.deepEqual(
          (await all(again, 'totals')).map(({ value }) => Number.parseInt(value as string)),
          records.map((_, n) => n),
        )
        await again[Symbol.asyncDispose]()
      } finally {
        execFileSync('umount', ['-l', dir])
      }
    }).timeout(60_000)
  })
})
