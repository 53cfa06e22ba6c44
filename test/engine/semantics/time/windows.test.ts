import assert from 'node:assert/strict'
import { every, joinWindows, StreamsBuilder, windows } from '../../../../src/index.ts'
import { text, type Record, type Windowing, counting, run } from './topologies.ts'

describe('time', () => {
  describe('windows', () => {
    const t10 = windows.tumbling(10)
    const cases: readonly (readonly [string, Windowing, readonly Record[], readonly string[]])[] = [
      ['hold [start, end)', { frame: t10.noGrace() }, [[0], [9], [10], [21]], ['a 0..10 2 @ 9', 'a 10..20 1 @ 10']],
      ['close when W reaches end - 1', { frame: t10.noGrace() }, [[3], [9]], []],
      ['close when W has reached it, not before', { frame: t10.noGrace() }, [[3], [10]], ['a 0..10 1 @ 3']],
      ['with grace close so much later', { frame: t10.grace(5) }, [[3], [14]], []],
      [
        'with grace take what is late until then',
        { frame: t10.grace(5) },
        [[3], [14], [9], [15], [9]],
        ['a 0..10 2 @ 9', 'late 9'],
      ],
      [
        'wait for the bound too',
        { frame: t10.noGrace(), bound: 4 },
        [[3], [13], [9], [14], [9]],
        ['a 0..10 2 @ 9', 'late 9'],
      ],
      [
        'that hop each take a record',
        { frame: windows.hopping(10, { advance: 5 }).noGrace() },
        [[7], [30]],
        ['a 0..10 1 @ 7', 'a 5..15 1 @ 7'],
      ],
      [
        'that hop do not start before 0',
        { frame: windows.hopping(10, { advance: 5 }).noGrace() },
        [[2], [30]],
        ['a 0..10 1 @ 2'],
      ],
      [
        'that hop tell of a late record once, iff it is late for all of them',
        { frame: windows.hopping(10, { advance: 5 }).noGrace() },
        [[7], [12], [8], [30], [8]],
        ['a 0..10 1 @ 7', 'a 5..15 3 @ 12', 'a 10..20 1 @ 12', 'late 8'],
      ],
      [
        'have an offset',
        { frame: windows.tumbling(10, { offset: 3 }).noGrace() },
        [[2], [3], [12], [40]],
        ['a 0..3 1 @ 2', 'a 3..13 2 @ 12'],
      ],
      [
        'close in the order of their closing, then of their starts, then of their keys',
        { frame: windows.hopping(10, { advance: 5 }).noGrace() },
        [
          [7, 'b'],
          [6, 'a'],
          [100, 'z'],
        ],
        ['a 0..10 1 @ 6', 'b 0..10 1 @ 7', 'a 5..15 1 @ 6', 'b 5..15 1 @ 7'],
      ],
      [
        'of sessions reach from their first to their last record',
        { frame: windows.session(5).noGrace() },
        [[3], [8], [20]],
        ['a 3..8 2 @ 8'],
      ],
      ['of sessions close at last + gap', { frame: windows.session(5).noGrace() }, [[3], [8]], []],
      [
        'of sessions close at last + gap, not before',
        { frame: windows.session(5).noGrace() },
        [[3], [9]],
        ['a 3..3 1 @ 3'],
      ],
      ['of sessions merge', { frame: windows.session(5).grace(20) }, [[3], [12], [8], [50]], ['a 3..12 3 @ 12']],
      [
        'of sessions judge the merged session',
        { frame: windows.session(5).noGrace() },
        [[3], [8], [10, 'b'], [4], [13, 'b'], [30], [4]],
        ['a 3..8 3 @ 8', 'b 10..13 2 @ 13', 'late 4'],
      ],
      [
        'come out at each change',
        { frame: t10.noGrace(), emit: 'update' },
        [[3], [4], [20], [5]],
        ['a 0..10 1 @ 3', 'a 0..10 2 @ 4', 'a 20..30 1 @ 20', 'late 5'],
      ],
      [
        'come out on time, then at each late change',
        { frame: t10.grace(10), emit: 'onTime' },
        [[3], [4], [10], [5], [50]],
        ['a 0..10 2 @ 4', 'a 0..10 3 @ 5', 'a 10..20 1 @ 10'],
      ],
      [
        'come out at each tick if they have changed, and at the end',
        { frame: windows.tumbling(100).noGrace(), emit: every(10) },
        [[3], [9], [10], [30], [31], [200]],
        ['a 0..100 3 @ 10', 'a 0..100 4 @ 30', 'a 0..100 5 @ 31'],
      ],
      ['have the highest timestamp of their records', { frame: t10.grace(5) }, [[8], [2], [20]], ['a 0..10 2 @ 8']],
    ]
    for (const [name, windowing, records, expected] of cases)
      it(name, () => assert.deepEqual(run(counting(windowing), records), expected))

    it('close at the end of the input', () => {
      assert.deepEqual(run(counting({ frame: t10.grace(5) }), [[3], [14]], true), ['a 0..10 1 @ 3', 'a 10..20 1 @ 14'])
    })

    it('of stream-stream joins are open until t + after + grace', () => {
      const builder = new StreamsBuilder()
      builder
        .stream('left', text)
        .leftJoin(builder.stream('right', text), (l, r) => `${l}${r ?? '-'}`, joinWindows.of(10).before(0).grace(2))
        .to('out', text)
      const records: Record[] = [
        [100, 'a', 'l', 'left'],
        [110, 'a', 'r', 'right'],
        [111, 'a', 'x', 'right'],
        [113, 'b', 'm', 'left'],
        [113, 'b', 'y', 'right'],
        [200, 'c', 'n', 'left'],
        [200, 'd', 'z', 'right'],
      ]
      assert.deepEqual(run(builder.build(), records), ['lr', 'my'])
    })
  })
})
