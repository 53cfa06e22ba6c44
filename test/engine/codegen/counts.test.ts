import assert from 'node:assert/strict'
import fc from 'fast-check'
import { planOf } from '../../../src/dsl/topology/plan-of.ts'
import { compile } from '../../../src/engine/plan/compile.ts'
import { TaskGroup } from '../../../src/engine/runtime/tasks/group.ts'
import { Outputs } from '../../../src/engine/runtime/outputs.ts'
import { serdes, type KStream, StreamsBuilder } from '../../../src/index.ts'
import { MemoryBackend } from '../../../src/state/backends/memory.ts'

type Shape = {
  readonly kind: 'filter' | 'filterNot' | 'mapValues' | 'map' | 'peek' | 'flat' | 'fork'
  readonly by: number
}
type Input = readonly [key: string | null, value: number | null]

const thrown = (value: number, by: number): number => {
  if (value % 11 === by) throw new Error('thrown')
  return value
}

/** One step behind another. @returns what goes on */
function add(stream: KStream<string, number>, { kind, by }: Shape): KStream<string, number> {
  switch (kind) {
    case 'filter':
      return stream.filter((value) => thrown(value, by) % by !== 0)
    case 'filterNot':
      return stream.filterNot((value) => thrown(value, by) % by === 0)
    case 'mapValues':
      return stream.mapValues((value) => thrown(value, by) + 1)
    case 'map':
      return stream.map((value, key) => [key, thrown(value, by) + by])
    case 'peek':
      return stream.peek((value) => void thrown(value, by))
    case 'flat':
      return stream.flatMapValues((value) => Array.from({ length: value % 3 }, (_, i) => thrown(value + i, by)))
    case 'fork':
      stream.filter((value) => thrown(value, by) % 2 === 0).forEach(() => {})
      return stream
  }
}

/** Records that come out of each counted step, by the step's id. */
function countsOf(
  shapes: readonly Shape[],
  inputs: readonly Input[],
  slice: number,
  how: 'run' | 'timed' | 'interpreted',
) {
  const builder = new StreamsBuilder()
  const source = { key: serdes.string(), value: serdes.json<number>(), nullKeys: 'drop' } as const
  let stream: KStream<string, number> = builder.stream('in', source)
  for (const shape of shapes) stream = add(stream, shape)
  stream.forEach(() => {})
  const plan = compile(planOf(builder.build()))
  const options = { careful: false, strict: false, codegen: how !== 'interpreted', cacheBytes: 0, batchSize: 1000 }
  const group = new TaskGroup(
    plan,
    [1],
    [{ sub: 0, partition: 0 }],
    {
      reader: new MemoryBackend(),
      outputs: new Outputs(() => 1),
      storeId: () => 1,
      partitionsOf: () => 1,
      topics: () => [],
      fetch: () => undefined,
      behind: () => false,
      startOffset: () => 0,
      now: () => 0,
      onUserError: () => 'skip',
      onDataError: () => 'skip',
      deadLetter() {},
      deadLetterRaw() {},
      options: { ...options, maxTimestampAhead: Number.POSITIVE_INFINITY, maxTaskIdle: 0, emptyIdle: 0 },
    },
    1,
  )
  const { feeds, meter } = group.tasks[0]!.parts
  const [feed] = feeds
  const batch = {
    topic: 'in',
    partition: 0,
    count: inputs.length,
    keys: inputs.map(([key]) => key),
    values: inputs.map(([, value]) => value),
    olds: undefined,
    timestamps: inputs.map((_, i) => i),
    w: undefined,
    headers: undefined,
    offsets: undefined,
    baseOffset: 0,
  }
  for (let from = 0; from < inputs.length; from += slice) {
    const to = Math.min(inputs.length, from + slice)
    if (how === 'timed') {
      meter.begin(0)
      feed!.timed(batch, from, to, feed!.time)
    } else feed!.run(batch, from, to, feed!.time)
  }
  return [...meter.counts]
}

describe('records that come out of steps', () => {
  const shape = fc.record({
    kind: fc.constantFrom<Shape['kind']>('filter', 'filterNot', 'mapValues', 'map', 'peek', 'flat', 'fork'),
    by: fc.integer({ min: 2, max: 6 }),
  })
  const shapes = fc.array(shape, { minLength: 1, maxLength: 7 })
  const input = fc.tuple(fc.option(fc.constant('k'), { freq: 10 }), fc.option(fc.nat(200), { freq: 10 }))
  const inputs = fc.array(input, { maxLength: 60 })

  it('are the same in generated code, in its timed copy and without code generation', () => {
    fc.assert(
      fc.property(shapes, inputs, fc.integer({ min: 1, max: 20 }), (some, sent, slice) => {
        const expected = countsOf(some, sent, slice, 'interpreted')
        assert.deepEqual(countsOf(some, sent, slice, 'run'), expected)
        assert.deepEqual(countsOf(some, sent, slice, 'timed'), expected)
      }),
      { numRuns: 200 },
    )
  })

  it('leave out what is dropped, and what was thrown before they came out', () => {
    const chain: Shape[] = [
      { kind: 'filter', by: 2 },
      { kind: 'mapValues', by: 5 },
      { kind: 'filter', by: 4 },
      { kind: 'peek', by: 2 },
    ]
    // 4 is dropped by the first filter, where 13 fails; 5 fails behind it; 11, as 12, is dropped by the second, where 3, as 4, fails;
    // 1, as 2, fails behind that
    const values = [4, 13, 5, 11, 3, 9, null, 1]
    const sent: Input[] = [[null, 9], ...values.map((value): Input => ['k', value])]
    assert.deepEqual(countsOf(chain, sent, 4, 'run'), [0, 5, 0, 2, 0, 0])
  })
})
