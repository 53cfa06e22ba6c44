import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { openRocks, readRocks, type RocksBackend } from '../../../src/state/backends/index.ts'
import { load } from '../../../src/state/backends/rocksdb-binding.ts'
import { rocksdbError } from '../../../src/state/backends/rocksdb-errors.ts'
import { backendContract } from '../backend-contract.ts'

const root = mkdtempSync(join(tmpdir(), 'dhaara-rocks-'))
let count = 0
const fresh = (): string => join(root, `${count++}`)
const fixture = (name: string): URL => new URL(`./fixtures/${name}`, import.meta.url)
const pathOf = new WeakMap<object, string>()

after(() => rmSync(root, { recursive: true, force: true }))

backendContract({
  name: 'rocksdb',
  open: async () => {
    const path = fresh()
    const backend = await openRocks(path)
    pathOf.set(backend, path)
    return backend
  },
  reopen: async (backend) => {
    await backend.close()
    return openRocks(pathOf.get(backend) as string, { createIfMissing: false })
  },
})

describe('rocksdb, shared and broken', () => {
  const put = (db: RocksBackend, key: string, value: string): void => {
    const batch = db.batch()
    batch.put(Buffer.from(key), Buffer.from(value))
    batch.commit()
  }

  it('gives keys as texts until one of them is none, of one moment', async () => {
    const db = await openRocks(fresh())
    const keys = Array.from({ length: 2000 }, (_, i) => Buffer.from(`${i < 1000 ? 'k' : 'पुणे'}${1000 + i}`))
    const odd = [Buffer.from('k1700\ufffd'), Buffer.from([0x6b, 0x31, 0xff]), Buffer.of(0xe0), Buffer.of(0xff, 0x00)]
    const range = { gte: Buffer.alloc(0) }
    for (const found of [[], ...odd.map((key) => [key])]) {
      const all = [...keys, ...found].toSorted(Buffer.compare)
      db.clearRange(Buffer.of(0), Buffer.alloc(9, 0xff))
      const batch = db.batch()
      for (const key of all) batch.put(key, Buffer.from('1'))
      batch.commit()
      const blocks = db.range(range).textBlocks(false)
      db.clearRange(Buffer.of(0), Buffer.alloc(9, 0xff))
      const given = [...blocks].map((block) => block.filter((_, i) => i % 2 === 0))
      assert.deepEqual(
        given.flat().map((key) => (typeof key === 'string' ? Buffer.from(key) : key).toString('latin1')),
        all.map((key) => key.toString('latin1')),
      )
      const kinds = given.map((block) => new Set(block.map((key) => typeof key)))
      assert.ok(kinds.every(({ size }) => size === 1))
      assert.deepEqual(new Set(given.flat().map((key) => typeof key)).size, found.length + 1)
      assert.equal(typeof given[0]![0], 'string')
    }
    await db.close()
  })

  it('gives values as texts block by block, whatever keys and values are none, of one moment', async () => {
    const db = await openRocks(fresh())
    const rows = 6000
    const places = fc.uniqueArray(fc.nat({ max: rows - 1 }), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(places, fc.uniqueArray(fc.nat({ max: rows - 1 }), { maxLength: 1 }), async (odd, oddKeys) => {
        db.clearRange(Buffer.of(0), Buffer.alloc(9, 0xff))
        const batch = db.batch()
        const want: string[] = []
        for (let i = 0; i < rows; i++) {
          const key = Buffer.concat([Buffer.from(`k${10_000 + i}`), Buffer.of(oddKeys.includes(i) ? 0xff : 0x61)])
          const value = odd.includes(i) ? Buffer.of(0xff, 0x61) : Buffer.from(`é${i}`)
          batch.put(key, value)
          want.push(key.toString('latin1'), value.toString('latin1'))
        }
        batch.commit()
        const blocks = db.range({ gte: Buffer.alloc(0) }).textBlocks(true)
        db.clearRange(Buffer.of(0), Buffer.alloc(9, 0xff))
        const given = [...blocks]
        const bytes = (part: string | Uint8Array): Buffer => Buffer.from(part as string)
        assert.deepEqual(
          given.flat().map((part) => bytes(part).toString('latin1')),
          want,
        )
        const kinds = (from: number) =>
          given.map((block) => new Set(block.filter((_, i) => i % 2 === from).map((part) => typeof part)))
        assert.ok([...kinds(0), ...kinds(1)].every(({ size }) => size === 1))
        if (odd.length === 0 && oddKeys.length === 0) assert.ok(given.flat().every((part) => typeof part === 'string'))
        const asBytes = given.filter((block) => typeof block[1] !== 'string').flat().length / 2
        // one that is no text costs its block and as many as came before, and is made up for
        assert.ok(asBytes <= odd.length * 4 * 512)
      }),
      {
        numRuns: 30,
        examples: [
          [[], []],
          [[rows - 1], []],
          [[0], [rows - 1]],
          [[rows - 1], [rows - 1]],
        ],
      },
    )
    await db.close()
  })

  it('lets another thread read what the owner commits, and refuses it after the owner closed', async () => {
    const db = await openRocks(fresh())
    put(db, 'a', '1')
    const worker = new Worker(fixture('reader.ts'), { workerData: db.handle })
    const ask = async (question: string): Promise<unknown> => {
      worker.postMessage(question)
      return (await once(worker, 'message'))[0]
    }
    assert.deepEqual(await ask('all'), ['a=1'])
    put(db, 'b', '2')
    assert.deepEqual(await ask('all'), ['a=1', 'b=2'])
    for (let i = 0; i < 100; i++) put(db, `c${i}`, '3')
    assert.deepEqual(await ask('half'), ['a=1'])
    await db.close()
    assert.equal(await ask('all'), 'DHAARA_APP_STATE')
    assert.equal(await ask('rest'), 'DHAARA_APP_STATE')
    await worker.terminate()
  })

  it('outlives a reader that is terminated in the middle of a range', async () => {
    const db = await openRocks(fresh())
    put(db, 'a', '1')
    const worker = new Worker(fixture('reader.ts'), { workerData: db.handle })
    worker.postMessage('half')
    await once(worker, 'message')
    await worker.terminate()
    put(db, 'b', '2')
    assert.equal(readRocks(db.handle).get(Buffer.from('b'))?.toString(), '2')
    await db.close()
  })

  it('has after kill -9 every batch that was committed', async () => {
    const path = fresh()
    const child = spawn(process.execPath, [fixture('writer.ts').pathname, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let committed = 0
    let output = ''
    for await (const chunk of child.stdout) {
      output += chunk
      const lines = output.split('\n')
      committed = Number(lines[lines.length - 2] ?? 0)
      if (committed >= 50) break
    }
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    const db = await openRocks(path, { createIfMissing: false })
    const seen = new Map<number, number>()
    for (const [key] of db.range({})) {
      const batch = Buffer.from(key).readUInt32BE()
      seen.set(batch, (seen.get(batch) ?? 0) + 1)
    }
    assert.ok(seen.size >= committed, `${seen.size} batches, ${committed} were committed`)
    assert.deepEqual(
      [...seen.keys()],
      [...Array(seen.size).keys()].map((i) => i + 1),
    )
    assert.deepEqual(new Set(seen.values()), new Set([100]))
    await db.close()
  })

  it('names a directory that is held, missing, damaged, or that options do not fit', async () => {
    const path = fresh()
    const db = await openRocks(path)
    await assert.rejects(openRocks(path), { code: 'DHAARA_STATE_LOCKED', domain: 'external' })
    await db.close()
    await assert.rejects(openRocks(fresh(), { createIfMissing: false }), { code: 'DHAARA_STATE_MISSING' })
    writeFileSync(join(path, 'CURRENT'), 'MANIFEST-999999\n')
    await assert.rejects(openRocks(path), { code: 'DHAARA_STATE_CORRUPT' })
    await assert.rejects(openRocks(fresh(), { memtableBytes: 2 ** 30 }), { code: 'DHAARA_OPTION' })
    await assert.rejects(openRocks(fresh(), { cacheBytes: 0.5 }), { code: 'DHAARA_OPTION' })
  })

  it('names a disk that is full, and what else the system may say', () => {
    const full = rocksdbError(
      new Error('IO error: No space left on device: While appending to file: /d/000004.log'),
      '/d',
    )
    assert.deepEqual([full.code, full.retryable], ['DHAARA_DISK_FULL', true])
    assert.equal(
      rocksdbError(Object.assign(new Error('Corruption: x'), { code: 'LEVEL_CORRUPTION' }), '/d').code,
      'DHAARA_STATE_CORRUPT',
    )
    assert.equal(
      rocksdbError(Object.assign(new Error('IO error: x'), { code: 'LEVEL_IO_ERROR' }), '/d').code,
      'DHAARA_STATE_IO',
    )
  })

  it('says which platforms have a binary', () => {
    const cause = new Error('No native build was found')
    const missing = (): never => {
      throw cause
    }
    assert.throws(() => load(missing, 'sunos-x64'), {
      code: 'DHAARA_PLATFORM',
      message: /sunos-x64.*linux-x64 and darwin-arm64.*npm rebuild/,
      cause,
    })
  })
})
