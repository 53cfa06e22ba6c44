import assert from 'node:assert/strict'
import { oneGroup } from '../../bench/suites/ceilings/common/one-task.ts'
import { withoutMetering } from '../../bench/suites/queries/unmetered.ts'
import { planOf } from '../../src/dsl/topology/plan-of.ts'
import { compile } from '../../src/engine/plan/compile.ts'
import type { TaskGroup } from '../../src/engine/runtime/tasks/group.ts'
import { serdes, StreamsBuilder } from '../../src/index.ts'

function group(): TaskGroup {
  const builder = new StreamsBuilder()
  builder
    .stream('in', { value: serdes.json<number>() })
    .filter((value) => value > 1)
    .flatMapValues((value) => [value, value])
    .forEach(() => {})
  return oneGroup(compile(planOf(builder.build())))
}

/** Runs three records, one of which is dropped. */
function run(of: TaskGroup) {
  const { feeds, meter } = of.tasks[0]!.parts
  const [feed] = feeds
  const [topic, partition, count, baseOffset] = ['in', 0, 3, 0]
  const [olds, w, headers, offsets] = [undefined, undefined, undefined, undefined]
  const [keys, values, timestamps] = [
    [null, null, null],
    [1, 2, 3],
    [1, 2, 3],
  ]
  const batch = { topic, partition, count, keys, values, olds, timestamps, w, headers, offsets, baseOffset }
  const timed = meter.begin(0)
  feed!.run(batch, 0, count, feed!.time)
  meter.end(0, timed, count)
  return { timed, came: [...meter.came], counts: [...meter.counts] }
}

describe('a job without metering', () => {
  it('counts nothing and is not timed, beside one that is, whichever was set up first', async () => {
    const before = group()
    const bare = await withoutMetering(group)
    const after = group()
    const steps = [0, 0, 0, 0]
    assert.deepEqual(run(bare), { timed: false, came: steps, counts: steps })
    for (const one of [before, after])
      assert.deepEqual(run(one), { timed: true, came: [3, 0, 0, 0], counts: [0, 2, 4, 0] })
    assert.deepEqual(run(bare), { timed: false, came: steps, counts: steps })
  })
})
