import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { PointReads } from '../../../src/engine/query/point-reads.ts'
import type { BackendReader } from '../../../src/state/backend.ts'
import { MemoryBackend, openRocks } from '../../../src/state/backends/index.ts'
import { temporaryDirectories } from '../../connectors/embedded/backends.ts'

const bytes = (text: string): Buffer => Buffer.from(text)

/** A database that has a row for each of these keys, and tells how many keys it was asked for in each call. */
function rows(...keys: readonly string[]): { readonly reader: BackendReader; readonly calls: number[] } {
  const backend = new MemoryBackend()
  const batch = backend.batch()
  for (const key of keys) batch.put(bytes(key), bytes(`row of ${key}`))
  batch.commit()
  const calls: number[] = []
  const getMany = (wanted: readonly Uint8Array[]): (Buffer | undefined)[] => {
    calls.push(wanted.length)
    return backend.getMany(wanted)
  }
  return { reader: { ...backend, getMany } as unknown as BackendReader, calls }
}

describe('reads of single keys', () => {
  const directory = temporaryDirectories()

  it('are one call for those of one turn, and each is told its own row', async () => {
    const { reader, calls } = rows('a', 'b')
    const reads = new PointReads(reader)
    const asked = ['a', 'none', 'b', 'a'].map((key) => reads.get([bytes(key)]))
    assert.deepEqual(calls, [])
    assert.deepEqual((await Promise.all(asked)).map(String), ['row of a', 'undefined', 'row of b', 'row of a'])
    assert.equal(String(await reads.get([bytes('b')])), 'row of b')
    assert.deepEqual(calls, [4, 1])
  })

  it('find a row in whichever place it is, whatever was asked in whichever turn', async () => {
    const places = ['0', '1', '2']
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.integer({ min: 0, max: 400 }), { maxLength: 200 }),
        fc.array(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 250 }), { maxLength: 4 }),
        async (there, turns) => {
          const { reader, calls } = rows(...there.map((n) => `${n % 3}/${n}`))
          const reads = new PointReads(reader)
          const answers: Promise<[number, string]>[] = []
          for (const turn of turns) {
            for (const n of turn) {
              const found = reads.get(places.map((place) => bytes(`${place}/${n}`)))
              answers.push(found.then((row) => [n, String(row)]))
            }
            await setImmediate()
          }
          for (const [n, row] of await Promise.all(answers))
            assert.equal(row, there.includes(n) ? `row of ${n % 3}/${n}` : 'undefined')
          // those of one question are never apart
          assert.ok(calls.every((keys) => keys % 3 === 0 && keys <= 129))
          assert.equal(
            calls.reduce((sum, keys) => sum + keys, 0),
            turns.flat().length * 3,
          )
        },
      ),
    )
  })

  it('find nothing where a key can be nowhere, and no row of another', async () => {
    const { reader, calls } = rows('a')
    const reads = new PointReads(reader)
    assert.deepEqual((await Promise.all([reads.get([]), reads.get([bytes('a')])])).map(String), [
      'undefined',
      'row of a',
    ])
    assert.deepEqual(calls, [1])
  })

  it('leave others their turn where there are many', async () => {
    const { reader, calls } = rows('a')
    const reads = new PointReads(reader)
    const all = Promise.all(Array.from({ length: 1000 }, () => reads.get([bytes('a')])))
    const between: number[] = []
    const look = async (): Promise<void> => {
      while (calls.length < 8) {
        between.push(calls.length)
        await setImmediate()
      }
    }
    await look()
    await all
    assert.deepEqual(calls, [128, 128, 128, 128, 128, 128, 128, 104])
    assert.deepEqual(between, [0, 1, 2, 3, 4, 5, 6, 7])
  })

  it('fail with the database, each of them, and not those that come later', async () => {
    const backend = await openRocks(directory())
    const reads = new PointReads(backend)
    const asked = Promise.allSettled([reads.get([bytes('a')]), reads.get([bytes('b')])])
    await backend.close()
    const closed = { code: 'DHAARA_APP_STATE' }
    for (const one of await asked) {
      // in time, or too late
      if (one.status === 'rejected') assert.equal((one.reason as { code: string }).code, closed.code)
      else assert.equal(one.value, undefined)
    }
    await assert.rejects(reads.get([bytes('a')]), closed)
    await assert.rejects(reads.get([bytes('a')]), closed)
  })
})
