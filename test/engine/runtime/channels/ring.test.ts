import assert from 'node:assert/strict'
import { Worker } from 'node:worker_threads'
import * as fc from 'fast-check'
import { RingReader, ringMemory, RingWriter } from '../../../../src/engine/runtime/channels/ring.ts'
import { type Message, Receiver, Sender } from '../../../../src/engine/runtime/channels/ring-link.ts'

const message = (seed: number, size: number): Message => ({
  size,
  fill(buf, at) {
    for (let i = 0; i < size; i++) buf[at + i] = (seed + i * 7) & 0xff
  },
})

function check(bytes: Buffer, seed: number, size: number): void {
  assert.equal(bytes.length, size)
  for (let i = 0; i < size; i++) if (bytes[i] !== ((seed + i * 7) & 0xff)) assert.fail(`message ${seed}: byte ${i}`)
}

describe('ring', () => {
  it('hands over frames in order, each at a multiple of 8, until there is no room', () => {
    const memory = ringMemory(1024)
    const writer = new RingWriter(memory)
    const reader = new RingReader(memory)
    let written = 0
    for (let at = writer.reserve(100); at >= 0; at = writer.reserve(100)) {
      assert.equal(at % 8, 0)
      writer.data[at] = written++
      writer.publish()
    }
    assert.ok(written >= 8)
    for (let i = 0; i < written; i++) {
      assert.ok(reader.next())
      assert.equal(reader.length, 100)
      assert.equal(reader.data[reader.start], i)
      reader.release()
    }
    assert.equal(reader.next(), false)
    assert.ok(writer.reserve(100) >= 0)
  })

  it('does not show what is reserved and not published', () => {
    const memory = ringMemory(1024)
    const writer = new RingWriter(memory)
    writer.reserve(10)
    assert.equal(new RingReader(memory).next(), false)
  })

  it('finds room for the longest frame at every position', () => {
    const memory = ringMemory(1024)
    const writer = new RingWriter(memory)
    const reader = new RingReader(memory)
    for (let i = 0; i < 500; i++) {
      for (const size of [8 * (i % 50), writer.longest]) {
        assert.ok(writer.reserve(size) >= 0)
        writer.publish()
        assert.ok(reader.next())
        assert.equal(reader.length, size)
        reader.release()
      }
    }
  })

  it('carries messages of any size, in order, whoever is faster', () => {
    const step = fc.oneof(
      fc.record({ send: fc.integer({ min: 0, max: 5000 }) }),
      fc.record({ receive: fc.integer({ min: 1, max: 5 }) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const memory = ringMemory(1024)
        const sender = new Sender(memory)
        const receiver = new Receiver(memory)
        const sizes: number[] = []
        let received = 0
        const receive = (most: number): void => {
          for (let i = 0; i < most; i++) {
            const bytes = receiver.receive()
            if (bytes === undefined) return
            check(bytes, received, sizes[received++] as number)
          }
        }
        for (const one of steps) {
          if ('send' in one) {
            sender.send(message(sizes.length, one.send))
            sizes.push(one.send)
          } else receive(one.receive)
        }
        while (received < sizes.length) {
          receive(sizes.length)
          sender.flush()
        }
        assert.equal(sender.waiting, 0)
      }),
      { numRuns: 300 },
    )
  })

  it('carries messages between two threads', async () => {
    const memory = ringMemory(4096)
    const worker = new Worker(new URL('./children/ring-sender.ts', import.meta.url), {
      workerData: { memory, count: 20_000 },
    })
    const receiver = new Receiver(memory)
    let received = 0
    while (received < 20_000) {
      const bytes = receiver.receive()
      if (bytes === undefined) await new Promise((resolve) => setImmediate(resolve))
      else check(bytes, received, (received++ * 37) % 3000)
    }
    await worker.terminate()
  })
})
