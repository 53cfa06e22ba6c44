import assert from 'node:assert/strict'
import { planOf } from '../../../src/dsl/topology/plan-of.ts'
import { compile } from '../../../src/engine/plan/compile.ts'
import type { SubTopology } from '../../../src/engine/plan/physical.ts'
import { metasOf } from '../../../src/engine/rescale/metas.ts'
import { unsealed } from '../../../src/engine/runtime/tasks/task-meta.ts'
import { FormerTimes, formerOf } from '../../../src/engine/time/former.ts'
import { serdes, StreamsBuilder } from '../../../src/index.ts'
import { MemoryBackend } from '../../../src/state/backends/memory.ts'
import { encodeValue } from '../../../src/state/codec/index.ts'
import { statePrefix } from '../../../src/state/stores/index.ts'

describe('what tasks have written', () => {
  const builder = new StreamsBuilder()
  builder.stream('in', { key: serdes.string(), value: serdes.string() }).groupByKey().count()
  const [sub] = compile(planOf(builder.build())).subs as [SubTopology]
  const written = (...partitions: number[]): MemoryBackend => {
    const backend = new MemoryBackend()
    const batch = backend.batch()
    for (const partition of partitions)
      batch.put(Buffer.concat([statePrefix(3, partition), Buffer.from(sub.name)]), encodeValue(unsealed))
    batch.commit()
    return backend
  }

  it('is of as many as there were, though the last have ended no epoch', () => {
    const there = (before: number | undefined) => metasOf(written(0, 2), 3, sub, 3, before).map(Boolean)
    assert.deepEqual(there(5), [true, false, true, false, false])
    assert.deepEqual(there(undefined), [true, false, true])
  })

  it('is nothing where nobody has written', () => {
    assert.deepEqual(metasOf(written(), 3, sub, 0, 4), [])
  })
})

describe('time of the tasks before', () => {
  const place = (key: unknown, partitions: number): number => {
    if (typeof key !== 'number') throw new TypeError('no key')
    return key % partitions
  }

  it('is that of the task that the key was with, and the highest of several', () => {
    const first = formerOf([10, 20], [])
    const second = formerOf([15, 5, Number.NEGATIVE_INFINITY], first)
    const again = new FormerTimes(formerOf([1, 30], [...second, ...second]), place)
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5].map((key) => again.of(key)),
      [15, 30, 10, 30, 10, 30],
    )
    assert.equal(again.highest, 30)
    assert.equal(again.of('k'), Number.NEGATIVE_INFINITY)
  })
})
