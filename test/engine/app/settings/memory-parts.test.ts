import assert from 'node:assert/strict'
import fc from 'fast-check'
import { memoryParts } from '../../../../src/engine/app/settings/memory-parts.ts'
import { embeddedBroker, serdes, StreamsApp, StreamsBuilder } from '../../../../src/index.ts'

const MB = 1 << 20

describe('the one limit of memory', () => {
  it('is divided so that its parts are all of it, and no part is more than the database takes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 32 * MB, max: 2 ** 40 }).chain((memory) =>
          fc.record({
            memory: fc.constant(memory),
            cache: fc.option(fc.double({ min: 0, max: memory - 64 * 1024 * 4, noNaN: true }), { nil: undefined }),
          }),
        ),
        ({ memory, cache: wanted }) => {
          const { cache, blockCache, memtables, transport } = memoryParts(memory, wanted)
          assert.equal(cache + blockCache + memtables + transport, memory)
          assert.equal(cache, Math.floor(wanted ?? memory / 2))
          for (const part of [cache, blockCache, memtables, transport]) assert.ok(Number.isInteger(part) && part >= 0)
          assert.ok(memtables >= 64 * 1024 && memtables <= 32 * MB && blockCache < 2 ** 32)
        },
      ),
    )
  })

  it('gives half to decoded rows, a quarter to blocks, at most 32 MB to memtables, unless cacheBytes says otherwise', () => {
    const inMB = (memory: number, cache?: number) =>
      Object.values(memoryParts(memory * MB, cache === undefined ? undefined : cache * MB)).map((bytes) => bytes / MB)
    assert.deepEqual(inMB(512), [256, 128, 32, 96])
    assert.deepEqual(inMB(32), [16, 8, 4, 4])
    assert.deepEqual(inMB(512, 0), [0, 256, 32, 224])
    assert.deepEqual(inMB(512, 512), [512, 0, 1 / 16, 0])
  })

  it('may be of any size: an odd number of bytes, more than the database can address', async () => {
    for (const memoryBytes of [100_000_001, 40 * 2 ** 30]) {
      const builder = new StreamsBuilder()
      builder.stream('in', { key: serdes.string(), value: serdes.string() }).groupByKey().count()
      await using app = new StreamsApp({
        applicationId: 'sized',
        topology: builder.build(),
        broker: embeddedBroker(),
        memoryBytes,
      })
      await app.start()
      app.endInputs()
      assert.equal((await app.completed).recordsIn, 0)
    }
  })
})
