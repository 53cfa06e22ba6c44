import assert from 'node:assert/strict'
import fc from 'fast-check'
import { frameProblem, readFrames, sealFrame } from '../../../src/connectors/broker/frame.ts'
import { headBytes } from '../../../src/connectors/broker/frame-layout.ts'
import { FrameBuilder } from '../../../src/connectors/broker/frame-builder.ts'
import { anyRecord, bytes, frameOf, frameOfValues, recordsOf } from './records.ts'

/** As a database may hand it back: at any address. */
const misaligned = (frame: Buffer, shift: number): Buffer => {
  const room = Buffer.alloc(frame.length + shift)
  frame.copy(room, shift)
  return room.subarray(shift)
}

describe('frames', () => {
  it('give back what was put in, from any offset on, alone or joined', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(anyRecord, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 4 }),
        fc.nat(),
        fc.nat(7),
        (runs, from, shift) => {
          let end = 0
          const frames = runs.map((records) => {
            const frame = frameOf(records)
            end += records.length
            sealFrame(frame, end - 1, 5, 0)
            return misaligned(frame, shift)
          })
          for (const frame of frames) assert.equal(frameProblem(frame), undefined)
          const offset = from % runs[0]!.length
          const batch = readFrames('t', 3, frames, offset)!
          assert.deepEqual(recordsOf(batch), runs.flat().slice(offset))
          assert.deepEqual(
            [...batch.offsets],
            Array.from({ length: end - offset }, (_, i) => offset + i),
          )
          assert.deepEqual([batch.topic, batch.partition, batch.nextOffset], ['t', 3, end])
        },
      ),
    )
  })

  it('notice any byte that changed', () => {
    const frame = frameOf([{ key: 'k', value: 'value', timestamp: 1, headers: [['h', 'v']] }])
    sealFrame(frame, 0, 0, 0)
    for (let i = 0; i < frame.length; i++) {
      frame[i]! ^= 1
      assert.notEqual(frameProblem(frame), undefined, `byte ${i}`)
      frame[i]! ^= 1
    }
    assert.equal(frameProblem(frame), undefined)
    assert.match(frameProblem(frame.subarray(0, -1))!, /is stored as/)
    assert.match(frameProblem(frame.subarray(0, headBytes - 1))!, /shorter than its head/)
  })

  it('take offsets with gaps', () => {
    const builder = new FrameBuilder()
    for (const value of ['a', 'b', 'c']) builder.add(null, bytes(value), 0)
    const frame = builder.finish(Int32Array.of(9, 5, 1))
    sealFrame(frame, 20, 0, 0)
    assert.deepEqual([...readFrames('t', 0, [frame], 0)!.offsets], [11, 15, 19])
    assert.deepEqual([...readFrames('t', 0, [frame], 12)!.offsets], [15, 19])
    assert.equal(readFrames('t', 0, [frame], 12)!.nextOffset, 21)
    assert.equal(readFrames('t', 0, [frame], 20), undefined)
  })
})

describe('FrameBuilder', () => {
  it('writes text as UTF-8', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (texts) => {
        const builder = new FrameBuilder()
        for (const text of texts) builder.addText(bytes('k'), text, 0)
        if (texts.length === 0) return
        const batch = readFrames('t', 0, [builder.finish()], Number.NEGATIVE_INFINITY)
        const back = texts.map((_, i) => batch!.data.toString('utf8', batch!.valueStart[i], batch!.valueEnd[i]))
        assert.deepEqual(back, texts)
      }),
    )
  })

  it('is empty and ready again after finish', () => {
    const builder = new FrameBuilder()
    builder.add(bytes('k'), bytes('v'), 9, [['h', bytes('x')]])
    builder.finish()
    assert.equal(builder.count, 0)
    assert.equal(builder.bytes, headBytes)
    builder.add(null, bytes('w'), 1)
    const frame = builder.finish()
    sealFrame(frame, 0, 0, 0)
    assert.deepEqual(recordsOf(readFrames('t', 0, [frame], 0)!), [{ key: null, value: 'w', timestamp: 1 }])
  })

  it('makes the same bytes in its own buffer, which the next frame takes', () => {
    const builder = new FrameBuilder()
    const fill = (value: string): void => builder.add(bytes('k'), bytes(value), 1, [['h', bytes('x')]])
    fill('one')
    const own = builder.finish()
    fill('one')
    const shared = builder.finishShared()
    assert.ok(own.equals(shared))
    fill('two')
    builder.finishShared()
    assert.equal(own.equals(shared), false)
  })

  it('holds a key of 1 MB and a value of 16 MB', () => {
    const builder = new FrameBuilder()
    const key = Buffer.alloc(1e6 + 1, 'k')
    const value = Buffer.alloc(16 * 1024 * 1024, 'v')
    builder.add(key, value, 0)
    builder.addText(key, 'w'.repeat(1e7), 0)
    const frame = builder.finish()
    sealFrame(frame, 1, 0, 0)
    assert.equal(frameProblem(frame), undefined)
    const { data, keyStart, keyEnd, valueStart, valueEnd } = readFrames('t', 0, [frame], 0)!
    assert.ok(key.equals(data.subarray(keyStart[0], keyEnd[0])))
    assert.ok(value.equals(data.subarray(valueStart[0], valueEnd[0])))
    assert.equal(valueEnd[1]! - valueStart[1]!, 1e7)
  })

  it('refuses a record over the limit, counting headers, and keeps what it had', () => {
    const builder = new FrameBuilder({ maxRecordBytes: 100 })
    const refused = { code: 'DHAARA_RECORD_TOO_LARGE', message: /101 bytes; the limit is 100/ }
    builder.add(bytes('k'), bytes('v'.repeat(99)), 0)
    assert.throws(() => builder.add(bytes('k'), bytes('v'.repeat(100)), 0), refused)
    assert.throws(() => builder.addText(bytes('k'), 'v'.repeat(100), 0), refused)
    assert.throws(() => builder.addText(null, 'ü'.repeat(40), 0, [['name', bytes('123456789')]]), refused)
    builder.addText(null, 'ü'.repeat(50), 0)
    assert.equal(builder.count, 2)
    const frame = builder.finish()
    sealFrame(frame, 1, 0, 0)
    assert.equal(frameProblem(frame), undefined)
  })

  it('says when it is full', () => {
    const builder = new FrameBuilder({ frameBytes: 100 })
    builder.add(null, bytes('x'.repeat(50)), 0)
    assert.equal(builder.full, false)
    builder.add(null, bytes('x'.repeat(50)), 0)
    assert.equal(builder.full, true)
    assert.equal(frameOfValues('x').length, headBytes + 17)
  })
})
