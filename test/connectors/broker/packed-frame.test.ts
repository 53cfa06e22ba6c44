import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  frameCount,
  frameLastOffset,
  frameProblem,
  readFrames,
  recordsProblem,
  sealFrame,
} from '../../../src/connectors/broker/frame.ts'
import { framePlainBytes, isPacked, packFrame } from '../../../src/connectors/broker/packed-frame.ts'
import { anyRecord, frameOf, type PlainRecord, recordsOf } from './records.ts'

const memory = (bytes: number): ArrayBuffer => new ArrayBuffer(bytes + 100)
const repeating = (count: number): PlainRecord[] =>
  Array.from({ length: count }, (_, i) => ({ key: `k${i}`, value: 'the same again '.repeat(9), timestamp: 5 }))

describe('packFrame', () => {
  it('gives frames that are read as they were, from any offset on, among others', () => {
    const run = fc.tuple(fc.array(anyRecord, { minLength: 1, maxLength: 8 }), fc.boolean())
    fc.assert(
      fc.property(fc.array(run, { minLength: 1, maxLength: 4 }), fc.nat(), (runs, from) => {
        let end = 0
        const frames = runs.map(([records, packs]) => {
          const plain = frameOf(records)
          const frame = packs ? packFrame(plain, 0.01, memory)! : plain
          end += records.length
          sealFrame(frame, end - 1, 5, 0)
          assert.equal(isPacked(frame), packs)
          assert.equal(framePlainBytes(frame), plain.length)
          assert.equal(frameProblem(frame), undefined)
          return frame
        })
        const offset = from % runs[0]![0].length
        const batch = readFrames('t', 0, frames, offset)!
        assert.deepEqual(recordsOf(batch), runs.flatMap(([records]) => records).slice(offset))
        assert.equal(batch.nextOffset, end)
      }),
    )
  })

  it('leaves the head as it is, and is given up where the records do not get small enough', () => {
    const plain = frameOf(repeating(500))
    const packed = packFrame(plain, 5, memory)!
    assert.ok(packed.length < plain.length / 5)
    for (const frame of [plain, packed]) {
      sealFrame(frame, 620, 0, 0)
      // at 48: the largest timestamp
      assert.deepEqual([frameCount(frame), frameLastOffset(frame), frame.readDoubleLE(48)], [500, 620, 5])
    }
    assert.equal(packFrame(plain, 1000, memory), undefined)
  })

  it('notices any byte that changed', () => {
    const packed = packFrame(frameOf(repeating(50)), 2, memory)!
    sealFrame(packed, 49, 0, 0)
    for (let i = 0; i < packed.length; i++) {
      packed[i]! ^= 1
      assert.notEqual(frameProblem(packed), undefined, `byte ${i}`)
      packed[i]! ^= 1
    }
    assert.equal(frameProblem(packed), undefined)
  })

  it('is not what other processes send', () => {
    const packed = packFrame(frameOf(repeating(50)), 2, memory)!
    sealFrame(packed, 49, 0, 0)
    assert.match(recordsProblem(packed)!, /compressed/)
  })
})
