import assert from 'node:assert/strict'
import { murmur2, partitionOf } from '../../../src/connectors/broker/partitioner.ts'

describe('murmur2', () => {
  // Kafka's own test values (UtilsTest.testMurmur2).
  const known: readonly [text: string, hash: number][] = [
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ]
  for (const [text, hash] of known) {
    it(`of '${text}' is what Kafka computes`, () => assert.equal(murmur2(Buffer.from(text)), hash))
  }

  it('gives a partition as Kafka does, also for negative hashes', () => {
    assert.equal(partitionOf(Buffer.from('foobar'), 10), (-790332482 & 0x7fffffff) % 10)
    assert.equal(partitionOf(Buffer.from('abc'), 7), 479470107 % 7)
  })
})
