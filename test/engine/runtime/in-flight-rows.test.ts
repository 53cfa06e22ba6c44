import assert from 'node:assert/strict'
import fc from 'fast-check'
import { planOf } from '../../../src/dsl/topology/plan-of.ts'
import { compile } from '../../../src/engine/plan/compile.ts'
import type { SubTopology } from '../../../src/engine/plan/physical.ts'
import type { InFlight } from '../../../src/engine/runtime/channels/in-flight.ts'
import {
  InFlightRows,
  inFlightRows,
  putRows,
  shares,
  taskRowOf,
} from '../../../src/engine/runtime/tasks/in-flight-rows.ts'
import { abandoned, adopted, unsealed } from '../../../src/engine/runtime/tasks/task-meta.ts'
import { serdes, StreamsBuilder } from '../../../src/index.ts'
import { MemoryBackend } from '../../../src/state/backends/memory.ts'
import { decodeValue, encodeValue } from '../../../src/state/codec/index.ts'
import { after, statePrefix } from '../../../src/state/stores/index.ts'

const kilobyte = 1024
const prefix = statePrefix(7, 3)
let stamp = 0

/** Each frame has bytes that no other has. */
const frame = fc.integer({ min: 8, max: 300 * kilobyte }).map((size) => {
  const bytes = new Uint8Array(size)
  new DataView(bytes.buffer).setUint32(0, stamp++)
  return bytes
})
const inFlight = fc.array(
  fc.record({
    feed: fc.constantFrom('orders|0', 'orders|1'),
    base: fc.nat(9),
    frames: fc.array(frame, { maxLength: 6 }),
  }),
  { maxLength: 4 },
)

/** What is put back, one frame after the other. */
const flat = (all: readonly InFlight[]): string[] =>
  all.flatMap(({ feed, base, frames }) =>
    frames.map((bytes) => `${feed} ${base} ${Buffer.from(bytes).readUInt32BE(0)}`),
  )

describe('what is in flight to a task', () => {
  it('lies in rows that a topic takes, none of them empty, in its order', () => {
    fc.assert(
      fc.property(inFlight, (all) => {
        const found = shares(all)
        assert.deepEqual(flat(found.flat()), flat(all))
        for (const share of found) {
          assert.ok(share.length > 0)
          assert.ok(encodeValue(share).length < 512 * kilobyte)
        }
      }),
      { numRuns: 100 },
    )
  })

  it('is what the last epoch had, held before late, beside the rows of other tasks', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(inFlight, inFlight), { minLength: 1, maxLength: 4 }), (epochs) => {
        const backend = new MemoryBackend()
        const batch = backend.batch()
        const others = shares([{ feed: 'x|0', base: 0, frames: [new Uint8Array(9)] }])
        for (const sub of ['order', 'orders2']) putRows(batch, 'late', prefix, sub, others)
        batch.commit()
        let [held, late] = [new InFlightRows('held'), new InFlightRows('late')]
        for (const [i, [first, second]] of epochs.entries()) {
          // another run goes on from what this one has left
          if (i % 2 === 1) {
            held = new InFlightRows('held')
            late = new InFlightRows('late')
            for (const rows of [held, late]) rows.find(backend, prefix, 'orders', '1_3')
          }
          const epoch = backend.batch()
          const sealer = {
            put: (key: Uint8Array, value: Uint8Array) => void epoch.put(key, value),
            delete: (key: Uint8Array) => void epoch.delete(key),
            clearLater: () => assert.fail(),
          }
          held.seal(sealer, prefix, 'orders', '1_3', shares(first))
          late.seal(sealer, prefix, 'orders', '1_3', shares(second))
          epoch.commit()
          assert.deepEqual(flat(inFlightRows(backend, prefix, 'orders')), flat([...first, ...second]))
        }
        for (const sub of ['order', 'orders2']) assert.deepEqual(flat(inFlightRows(backend, prefix, sub)), ['x|0 0 0'])
        for (const [key, row] of backend.range({ gte: prefix, lt: after(prefix) })) {
          const { inFlight, sub } = taskRowOf(Buffer.from(key.subarray(prefix.length)).toString())
          assert.ok(inFlight && ['order', 'orders', 'orders2'].includes(sub))
          assert.ok(Array.isArray(decodeValue(row)))
        }
      }),
      { numRuns: 50 },
    )
  })

  it('is written once where it waits on', () => {
    const rows = new InFlightRows('held')
    const puts: string[] = []
    const deletes: string[] = []
    const nameOf = (key: Uint8Array) => Buffer.from(key.subarray(prefix.length)).toString()
    const sealer = {
      put: (key: Uint8Array) => void puts.push(nameOf(key)),
      delete: (key: Uint8Array) => void deletes.push(nameOf(key)),
      clearLater: () => assert.fail(),
    }
    const frames = Array.from({ length: 5 }, (_, i) => Buffer.alloc(200 * kilobyte, i))
    const seal = (count: number) =>
      rows.seal(
        sealer,
        prefix,
        'orders',
        '1_3',
        shares([{ feed: 'orders|0', base: 0, frames: frames.slice(0, count) }]),
      )
    seal(3)
    assert.deepEqual(puts.splice(0), ['orders\0held', 'orders\0held\x00000001', 'orders\0held\x00000002'])
    seal(3)
    seal(4)
    assert.deepEqual(puts.splice(0), ['orders\0held\x00000003'])
    frames[1] = Buffer.alloc(200 * kilobyte, 9)
    seal(4)
    assert.deepEqual(puts.splice(0), ['orders\0held\x00000001'])
    assert.deepEqual(deletes, [])
    seal(2)
    assert.deepEqual([puts, deletes], [[], ['orders\0held\x00000002', 'orders\0held\x00000003']])
  })

  it('is read where it is one row, however long, as it once was', () => {
    const backend = new MemoryBackend()
    const batch = backend.batch()
    const frames = Array.from({ length: 40 }, (_, i) => Buffer.alloc(100 * kilobyte, i))
    batch.put(
      Buffer.concat([prefix, Buffer.from('orders\0late')]),
      encodeValue([{ feed: 'orders|0', base: 0, frames }]),
    )
    batch.commit()
    assert.deepEqual(
      inFlightRows(backend, prefix, 'orders').flatMap((one) => one.frames.map((bytes) => bytes[0])),
      frames.map((_, i) => i),
    )
  })

  it('goes to the task that has its repartition now, also where the one before has ended no epoch', () => {
    const builder = new StreamsBuilder()
    const text = { key: serdes.string(), value: serdes.string() }
    builder.stream('orders', text).selectKey(String).repartition({ name: 'by-city' }).to('out', text)
    const { subs } = compile(planOf(builder.build()))
    const sub = subs.find(({ inputs }) => inputs.some(({ op }) => op.kind === 'repartitionRead')) as SubTopology
    const backend = new MemoryBackend()
    const batch = backend.batch()
    const [repartition] = sub.inputs.flatMap(({ op }) => (op.kind === 'repartitionRead' ? [op.repartition.name] : []))
    batch.put(Buffer.concat([prefix, Buffer.from('before')]), encodeValue(unsealed))
    const sent = [
      { feed: `${repartition}|0`, base: 0, frames: [Buffer.alloc(8)] },
      { feed: 'another|0', base: 0, frames: [Buffer.alloc(8)] },
    ]
    putRows(batch, 'late', prefix, 'before', shares(sent))
    batch.commit()
    assert.deepEqual(flat(adopted(backend, prefix, sub)?.inFlight ?? []), [`${repartition}|0 0 0`])
    assert.equal(abandoned(backend, prefix, subs).length, 2)
  })
})
