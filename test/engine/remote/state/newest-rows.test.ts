import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { FetchedBatch } from '../../../../src/connectors/broker/log.ts'
import { NewestRows } from '../../../../src/engine/remote/state/newest-rows.ts'

/** Bytes of the keys behind each other, as in a batch that was read; before them lies what is none of theirs. */
function batchOf(keys: readonly Uint8Array[]): FetchedBatch {
  const data = Buffer.concat([Buffer.from('head'), ...keys])
  const [keyStart, keyEnd] = [new Int32Array(keys.length), new Int32Array(keys.length)]
  let at = 4
  for (const [i, key] of keys.entries()) {
    keyStart[i] = at
    at += key.length
    keyEnd[i] = at
  }
  const none = { timestamps: new Float64Array(0), offsets: new Float64Array(0) }
  const values = { valueStart: new Int32Array(0), valueEnd: new Int32Array(0) }
  return { topic: 't', partition: 0, count: keys.length, data, keyStart, keyEnd, ...values, ...none, nextOffset: 0 }
}

/** Which record of which batch, in the order found. */
function found(rows: NewestRows, runs: readonly (readonly Uint8Array[])[], counts = runs.map((run) => run.length)) {
  rows.sort(runs.map(batchOf), counts)
  return Array.from(rows.newest.subarray(0, rows.count), (place) => [rows.batchOf[place], rows.recordOf[place]])
}

/** A map keeps a key's newest record. */
function expected(runs: readonly (readonly Uint8Array[])[], counts = runs.map((run) => run.length)) {
  const newest = new Map<string, { key: Buffer; where: number[] }>()
  for (const [batch, keys] of runs.entries())
    for (const [record, bytes] of keys.slice(0, counts[batch]).entries()) {
      const key = Buffer.from(bytes)
      newest.set(key.toString('latin1'), { key, where: [batch, record] })
    }
  return [...newest.values()].sort((a, b) => a.key.compare(b.key)).map(({ where }) => where)
}

describe('the newest rows of batches', () => {
  const rows = new NewestRows()
  const bytes = (most: number, maxLength: number) =>
    fc.array(fc.integer({ min: 0, max: most }), { maxLength }).map((all) => Uint8Array.from(all))
  // few bytes, many of them zero: keys that begin with others, end in the middle of a look, differ only in their ends
  const alike = fc
    .tuple(fc.constantFrom('', 'customer-', 'customer-00000000', 'order'), bytes(1, 20))
    .map(([head, tail]) => Buffer.concat([Buffer.from(head), tail]))
  const key = fc.oneof(alike, bytes(255, 6), bytes(2, 3))
  const runs = fc.array(fc.array(key, { maxLength: 150, size: 'max' }), { maxLength: 5 })

  it('are in the order of the bytes of their keys, each key once', () => {
    fc.assert(fc.property(runs, (all) => assert.deepEqual(found(rows, all), expected(all))))
  })

  it('are those of the first records alone, where only these count', () => {
    const some = runs.chain((all) => fc.tuple(fc.constant(all), fc.tuple(...all.map((run) => fc.nat(run.length)))))
    fc.assert(fc.property(some, ([all, counts]) => assert.deepEqual(found(rows, all, counts), expected(all, counts))))
  })

  it('are found among very many', () => {
    let seed = 7
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
      return Math.floor((seed / 0x80000000) * below)
    }
    for (const keyOf of [
      () => String(random(40_000)).padStart(6, '0'),
      () => `city-${random(7)}`,
      () => `tenant-${random(3)}-of-a-long-name-${random(3)}-${random(20_000)}`,
    ]) {
      const all = Array.from({ length: 3 }, () => Array.from({ length: 15_000 }, () => Buffer.from(keyOf())))
      assert.deepEqual(found(rows, all), expected(all))
    }
  })

  it('are none where there are none', () => {
    assert.deepEqual(found(rows, []), [])
    assert.deepEqual(found(rows, [[], []]), [])
  })
})
