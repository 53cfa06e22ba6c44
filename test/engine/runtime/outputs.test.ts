import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { frameProblem, readFrames, sealFrame } from '../../../src/connectors/broker/frame.ts'
import { isPacked } from '../../../src/connectors/broker/packed-frame.ts'
import { type OutputFrame, Outputs } from '../../../src/engine/runtime/outputs.ts'

const repeating = Buffer.alloc(1000, 'again ')

/** A frame of `count` values of 1000 bytes. */
function frameOf(outputs: Outputs, count: number, value: () => Buffer = () => repeating): OutputFrame {
  const builder = outputs.topic('t').builders[0]!
  for (let i = 0; i < count; i++) builder.add(null, value(), i)
  const frames = outputs.take()
  assert.equal(frames.length, 1)
  return frames[0]!
}

describe('Outputs', () => {
  it('compresses large frames of records that repeat each other', () => {
    const outputs = new Outputs(() => 1)
    const { frame } = frameOf(outputs, 100)
    assert.ok(isPacked(frame))
    assert.ok(frame.length < 20_000, `${frame.length} bytes`)
    sealFrame(frame, 99, 0, 0)
    assert.equal(frameProblem(frame), undefined)
    const { count, data, valueStart, valueEnd } = readFrames('t', 0, [frame], 0)!
    assert.equal(count, 100)
    assert.ok(data.subarray(valueStart[99], valueEnd[99]).equals(repeating))
  })

  it('leaves small frames as they are, and all that go to other logs', () => {
    assert.equal(isPacked(frameOf(new Outputs(() => 1), 60).frame), false)
    assert.equal(isPacked(frameOf(new Outputs(() => 1, { checksum: false }), 100).frame), false)
  })

  it('leaves alone what does not get small, and tries again later', () => {
    const outputs = new Outputs(() => 1)
    const { frame } = frameOf(outputs, 100, () => randomBytes(1000))
    assert.equal(isPacked(frame), false)
    sealFrame(frame, 99, 0, 0)
    assert.equal(frameProblem(frame), undefined)
    const packed = Array.from({ length: 34 }, () => isPacked(frameOf(outputs, 100).frame))
    assert.deepEqual([packed.indexOf(true), packed.lastIndexOf(false)], [31, 30])
  })

  it('writes over memory only when it was given back', () => {
    const outputs = new Outputs(() => 1)
    const kept = frameOf(outputs, 100)
    const before = Buffer.from(kept.frame)
    for (let i = 0; i < 3; i++) outputs.release([frameOf(outputs, 100, () => Buffer.alloc(1000, `${i}`))])
    assert.ok(kept.frame.equals(before))
  })
})
