import assert from 'node:assert/strict'
import fc from 'fast-check'
import { readRecords } from '../../../../src/engine/runtime/channels/frame-reader.ts'
import { FrameSeries } from '../../../../src/engine/runtime/channels/frame-series.ts'
import { FrameWriter } from '../../../../src/engine/runtime/channels/frame-writer.ts'
import type { RawHeaders } from '../../../../src/engine/runtime/record.ts'
import { nowhere, placeOf } from '../../../../src/engine/runtime/inputs/places.ts'
import { aligned } from '../../../../src/engine/runtime/channels/ring-link.ts'

const kilobyte = 1024
const codec = { key: undefined, value: undefined, change: false, topic: 'orders' }
/** Numbers of a record, and bits besides. */
const beside = 64

const record = fc.record({
  value: fc.oneof(
    { weight: 6, arbitrary: fc.nat(200) },
    fc.integer({ min: 10 * kilobyte, max: 40 * kilobyte }),
    fc.integer({ min: 100 * kilobyte, max: 900 * kilobyte }),
  ),
  headers: fc.option(fc.nat(30 * kilobyte), { freq: 3, nil: undefined }),
})

describe('records as frames', () => {
  it('come back as they were, in frames of a quarter of a megabyte or of one record', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 60 }), fc.integer({ min: 1, max: 12 }), (drawn, times) => {
        const records = Array.from({ length: times }, () => drawn).flat()
        const series = new FrameSeries(codec)
        const headersOf = (bytes: number | undefined): RawHeaders | undefined =>
          bytes === undefined ? undefined : [['trace', new Uint8Array(bytes)]]
        for (const [n, { value, headers }] of records.entries())
          series.add(n, 'x'.repeat(value), undefined, 1000 + n, n, headersOf(headers), nowhere, n)
        const found: unknown[] = []
        for (const frame of series.end()) {
          const before = found.length
          readRecords(aligned(frame), codec, {
            push: (key, value, _, ts, w, headers, place, offset) =>
              void found.push([key, (value as string).length, ts, w, headers?.[0]?.[1].length, place, offset]),
          })
          const count = found.length - before
          assert.ok(count > 0)
          assert.ok(count === 1 || frame.length < 256 * kilobyte + 16 * kilobyte + count * beside, `${frame.length}`)
        }
        assert.deepEqual(
          found,
          records.map(({ value, headers }, n) => [n, value, 1000 + n, n, headers, nowhere, n]),
        )
      }),
      { numRuns: 60 },
    )
  })

  it('are the same bytes where they are the same records, whatever lay there before', () => {
    const bytes = [0, 0xff].map((before) => {
      const writer = new FrameWriter(codec)
      const places = ['a', 'longer'].map((topic) => placeOf(topic, 3))
      for (const [n, place] of [...places, nowhere].entries())
        writer.add(n, 'x'.repeat(n), undefined, n, n, undefined, place, n)
      const frame = Buffer.alloc(writer.size, before)
      writer.fill(frame, 0)
      return frame
    })
    assert.deepEqual(bytes[0], bytes[1])
  })
})
