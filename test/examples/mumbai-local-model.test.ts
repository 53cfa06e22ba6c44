import assert from 'node:assert/strict'
import type { Tap, Train } from '../../examples/mumbai-local/events.ts'
import type { Row } from './compare.ts'
import { mumbaiLocalModel } from './mumbai-local-model.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** 07:00 in India, on the second of July. */
const T = Date.UTC(2024, 6, 2, 1, 30)
const MIDNIGHT = Date.UTC(2024, 6, 1, 18, 30)

let ids = 0
function tap(timestamp: number, fields: Partial<Tap> = {}): Tap {
  return { tapId: `t${++ids}`, passengerId: 'p1', station: 'Dadar', tap: 'entry', timestamp, ...fields }
}

function exit(timestamp: number, station = 'Dadar'): Tap {
  return tap(timestamp, { tap: 'exit', station })
}

function entries(n: number, timestamp: number): Tap[] {
  return Array.from({ length: n }, () => tap(timestamp, { passengerId: `p${ids}` }))
}

/** Moves the watermark and nothing else: an exit of someone else. */
function clock(timestamp: number): Tap {
  return tap(timestamp, { tap: 'exit', passengerId: 'clock' })
}

function train(trainId: string, scheduledAt: number, delaySec: number, route = 'WR'): Train {
  return { trainId, route, scheduledAt, arrivedAt: scheduledAt + delaySec * SECOND }
}

function ofTaps(topic: string, taps: readonly Tap[]): Row[] {
  return mumbaiLocalModel(taps, [])[`local-${topic}`] as Row[]
}

function ofTrains(topic: string, trains: readonly Train[]): Row[] {
  return mumbaiLocalModel([], trains)[`local-${topic}`] as Row[]
}

function pick(rows: readonly Row[], ...fields: string[]): unknown[] {
  return rows.map(({ value }) => fields.map((field) => (value as Record<string, unknown>)[field]))
}

beforeEach(() => {
  ids = 0
})

describe('examples: Mumbai local model', () => {
  describe('hours', () => {
    it('start at half past in UTC, count entries, name the busiest station', () => {
      const taps = [
        tap(T, { station: 'Kurla' }),
        tap(T - 1),
        tap(T + HOUR - 1, { station: 'Dadar' }),
        tap(T + HOUR),
        exit(T, 'Virar'),
      ]
      assert.deepEqual(ofTaps('hourly', taps), [
        {
          key: { key: 'mumbai', window: { start: T, end: T + HOUR } },
          value: { hour: 7, passengers: 2, class: 'QUIET', busiest: 'Dadar' },
        },
        {
          key: { key: 'mumbai', window: { start: T - HOUR, end: T } },
          value: { hour: 6, passengers: 1, class: 'QUIET', busiest: 'Dadar' },
        },
        {
          key: { key: 'mumbai', window: { start: T + HOUR, end: T + 2 * HOUR } },
          value: { hour: 8, passengers: 1, class: 'QUIET', busiest: 'Dadar' },
        },
      ])
    })

    for (const [n, expected] of [
      [500, 'QUIET'],
      [501, 'NORMAL'],
      [1000, 'NORMAL'],
      [1001, 'BUSY'],
      [2000, 'BUSY'],
      [2001, 'PEAK'],
    ] as const) {
      it(`of ${n} passengers are ${expected}`, () => {
        const taps = entries(n, T)
        assert.deepEqual(pick(ofTaps('hourly', taps), 'class', 'passengers'), [[expected, n]])
        const alert = { key: 'mumbai', value: { type: 'PEAK_HOUR', windowStart: T, passengers: n } }
        assert.deepEqual(ofTaps('alerts', taps), expected === 'PEAK' ? [alert] : [])
      })
    }

    it('close 10 minutes after their end', () => {
      // The watermark is highest - 2 min - 1 and closes the hour at its end + 10 min - 1.
      const closing = T + HOUR + 12 * MINUTE
      const late = tap(T + 5, { tapId: 'x' })
      assert.deepEqual(ofTaps('late', [clock(closing - 1), late]), [])
      const taps = [clock(closing), late, exit(T)]
      assert.deepEqual(ofTaps('late', taps), [{ key: 'x', value: { tapId: 'x', station: 'Dadar', timestamp: T + 5 } }])
      assert.deepEqual(ofTaps('hourly', taps), [])
    })
  })

  describe('rolling hours', () => {
    it('hold three hours each', () => {
      const found = ofTaps('rolling', [tap(T), tap(T + HOUR), tap(T + HOUR)])
      assert.deepEqual(
        found.map(({ key, value }) => [
          ((key as { window: { start: number } }).window.start - T) / HOUR,
          (value as { hours: number[] }).hours,
        ]),
        [
          [-2, [0, 0, 1]],
          [-1, [0, 1, 2]],
          [0, [1, 2, 0]],
          [1, [2, 0, 0]],
        ],
      )
      assert.deepEqual(found[1], {
        key: { key: 'mumbai', window: { start: T - HOUR, end: T + 2 * HOUR } },
        value: { passengers: 3, avgPerHour: 1, hours: [0, 1, 2], trend: 'rising' },
      })
    })

    for (const [h0, h2, expected] of [
      [5, 6, 'stable'],
      [5, 7, 'rising'],
      [5, 4, 'stable'],
      [5, 3, 'falling'],
    ] as const) {
      it(`from ${h0} to ${h2} are ${expected}`, () => {
        const taps = [...entries(h0, T), ...entries(h2, T + 2 * HOUR)]
        const row = ofTaps('rolling', taps).find(({ key }) => (key as { window: { start: number } }).window.start === T)
        assert.equal((row as { value: { trend: string } }).value.trend, expected)
      })
    }

    it('take a late entry while one of them is open', () => {
      const taps = [clock(T + HOUR + 12 * MINUTE), tap(T)]
      assert.deepEqual(pick(ofTaps('rolling', taps), 'hours'), [[[0, 1, 0]], [[1, 0, 0]]])
    })
  })

  describe('journeys', () => {
    const journey = (taps: readonly Tap[]) =>
      ofTaps('journeys', taps).filter(({ key }) => (key as { key: string }).key !== 'clock')
    const spans = (taps: readonly Tap[]) =>
      journey(taps).map(({ key }) => {
        const { start, end } = (key as { window: { start: number; end: number } }).window
        return [start - T, end - T]
      })

    it('are complete with an entry and an exit', () => {
      assert.deepEqual(journey([tap(T, { station: 'Virar' }), exit(T + 35 * MINUTE + 59 * SECOND, 'CST')]), [
        {
          key: { key: 'p1', window: { start: T, end: T + 35 * MINUTE + 59 * SECOND } },
          value: {
            startStation: 'Virar',
            endStation: 'CST',
            durationMin: 35,
            rides: 1,
            transfers: 0,
            pattern: 'home_to_work',
          },
        },
      ])
    })

    it('hold taps 90 minutes apart, not more', () => {
      assert.deepEqual(spans([tap(T), exit(T + 90 * MINUTE)]), [[0, 90 * MINUTE]])
      assert.deepEqual(spans([tap(T), exit(T + 90 * MINUTE + 1)]), [
        [0, 0],
        [90 * MINUTE + 1, 90 * MINUTE + 1],
      ])
    })

    it('are joined by a tap between them', () => {
      const taps = [tap(T), exit(T + 100 * MINUTE), tap(T + 60 * MINUTE)]
      assert.deepEqual(spans(taps.slice(0, 2)).length, 2)
      assert.deepEqual(spans(taps), [[0, 100 * MINUTE]])
      assert.deepEqual(spans([...taps, exit(T - 90 * MINUTE)]), [[-90 * MINUTE, 100 * MINUTE]])
    })

    it('belong to one passenger', () => {
      assert.equal(journey([tap(T), tap(T, { passengerId: 'p2' })]).length, 2)
    })

    it('refuse a tap whose session would be over', () => {
      // Over when the watermark (highest - 2 min - 1) has come to the last tap + 100 min.
      const over = T + 102 * MINUTE + 1
      assert.deepEqual(spans([clock(over - 1), tap(T)]), [[0, 0]])
      assert.deepEqual(spans([clock(over), tap(T)]), [])
      assert.deepEqual(spans([tap(T + MINUTE), clock(over), exit(T)]), [[0, MINUTE]], 'saved by an open session')
      assert.deepEqual(
        spans([tap(T), clock(over), exit(T + MINUTE)]),
        [
          [0, 0],
          [MINUTE, MINUTE],
        ],
        'a closed session takes nothing',
      )
    })

    it('are read in the order of time, entries before exits, then stations', () => {
      const taps = [
        exit(T + 40 * MINUTE, 'CST'),
        tap(T + 40 * MINUTE, { station: 'Kurla' }),
        tap(T + 40 * MINUTE, { station: 'Dadar' }),
        tap(T, { station: 'Bandra' }),
        exit(T + 20 * MINUTE, 'Dadar'),
      ]
      assert.deepEqual(pick(journey(taps), 'startStation', 'endStation', 'rides', 'transfers'), [
        ['Bandra', 'CST', 2, 1],
      ])
      const same = [tap(T, { station: 'Kurla' }), tap(T, { station: 'BKC' }), exit(T + HOUR, 'Virar')]
      assert.deepEqual(pick(journey(same), 'startStation', 'pattern'), [['BKC', 'work_to_home']])
    })

    it('tell a transfer by less than 30 minutes', () => {
      const ride = (gap: number) => [tap(T), exit(T + HOUR), tap(T + HOUR + gap), exit(T + 2 * HOUR)]
      assert.deepEqual(pick(journey(ride(30 * MINUTE - 1)), 'rides', 'transfers'), [[2, 1]])
      assert.deepEqual(pick(journey(ride(30 * MINUTE)), 'rides', 'transfers'), [[2, 0]])
    })

    it('are incomplete without a first entry and a later exit', () => {
      const fields = ['startStation', 'endStation', 'durationMin', 'rides', 'pattern']
      assert.deepEqual(pick(journey([tap(T)]), ...fields), [['Dadar', null, null, 0, 'incomplete']])
      assert.deepEqual(pick(journey([exit(T)]), ...fields), [[null, 'Dadar', null, 0, 'incomplete']])
      assert.deepEqual(pick(journey([exit(T, 'CST'), tap(T + 1)]), ...fields), [
        ['Dadar', 'CST', null, 0, 'incomplete'],
      ])
      assert.deepEqual(pick(journey([exit(T, 'CST'), tap(T)]), ...fields), [['Dadar', 'CST', 0, 1, 'local_trip']])
    })

    for (const [from, to, minutes, expected] of [
      ['Andheri', 'BKC', 10, 'home_to_work'],
      ['Lower Parel', 'Borivali', 70, 'work_to_home'],
      ['Andheri', 'Virar', 19.99, 'local_trip'],
      ['Andheri', 'Virar', 20, 'long_distance'],
      ['CST', 'Thane', 50, 'long_distance'],
    ] as const) {
      it(`from ${from} to ${to} in ${minutes} min are ${expected}`, () => {
        const taps = [tap(T, { station: from }), exit(T + minutes * MINUTE, to)]
        assert.deepEqual(pick(journey(taps), 'pattern'), [[expected]])
      })
    }
  })

  it('sums up the days of India', () => {
    const taps = [-1, 0, 5.99, 6, 7, 9.99, 10, 17.99, 18, 20.99, 21, 22.99, 23].map((hour) =>
      tap(MIDNIGHT + Math.floor(hour * HOUR), { passengerId: `p${hour}` }),
    )
    assert.deepEqual(ofTaps('daily', taps), [
      {
        key: { key: 'mumbai', window: { start: MIDNIGHT - DAY, end: MIDNIGHT } },
        value: { date: '2024-07-01', passengers: 1, morningPeak: 0, eveningPeak: 0, offPeak: 1 },
      },
      {
        key: { key: 'mumbai', window: { start: MIDNIGHT, end: MIDNIGHT + DAY } },
        value: { date: '2024-07-02', passengers: 12, morningPeak: 2, eveningPeak: 2, offPeak: 3 },
      },
    ])
  })

  describe('board', () => {
    it('puts trains into the order of the timetable, marks those that were overtaken', () => {
      const trains = [
        train('b', T + 3 * MINUTE, -60),
        train('a', T, 130),
        train('c', T, 140),
        train('d', T + 9 * MINUTE, 0),
      ]
      assert.deepEqual(pick(ofTrains('board', trains), 'trainId', 'outOfOrder', 'delaySec'), [
        ['a', true, 130],
        ['c', true, 140],
        ['b', false, -60],
        ['d', false, 0],
      ])
      assert.deepEqual(ofTrains('board', trains)[0], {
        key: 'WR',
        value: {
          trainId: 'a',
          scheduledAt: T,
          arrivedAt: T + 130 * SECOND,
          delaySec: 130,
          status: 'delay',
          outOfOrder: true,
        },
      })
    })

    it('does not mix routes up', () => {
      const trains = [train('a', T + 3 * MINUTE, 0), train('b', T, 200, 'CR')]
      assert.deepEqual(pick(ofTrains('board', trains), 'trainId', 'outOfOrder').sort(), [
        ['a', false],
        ['b', false],
      ])
    })

    it('leaves out a train that is definitely late, by the clock of all routes', () => {
      // The watermark is highest - 6 min - 1.
      const ahead = train('a', T + 6 * MINUTE, 0, 'CR')
      const inTime = [ahead, train('b', T, 400)]
      assert.deepEqual(pick(ofTrains('board', inTime), 'trainId'), [['a'], ['b']].reverse())
      assert.deepEqual(ofTrains('alerts', inTime), [])
      const late = [ahead, train('b', T - 1, 401)]
      assert.deepEqual(pick(ofTrains('board', late), 'trainId'), [['a']])
      assert.deepEqual(ofTrains('alerts', late), [
        { key: 'WR', value: { type: 'DEFINITELY_LATE', trainId: 'b', route: 'WR', scheduledAt: T - 1, delaySec: 401 } },
      ])
    })

    for (const [delay, expected] of [
      [-5, 'on_time'],
      [0, 'on_time'],
      [1, 'minor_delay'],
      [120, 'minor_delay'],
      [121, 'delay'],
      [300, 'delay'],
      [301, 'major_delay'],
    ] as const) {
      it(`calls ${delay} s ${expected}`, () => {
        assert.deepEqual(pick(ofTrains('board', [train('a', T, delay)]), 'status'), [[expected]])
      })
    }

    it('rounds seconds down', () => {
      const half = (ms: number): Train => ({ trainId: 'a', route: 'WR', scheduledAt: T, arrivedAt: T + ms })
      assert.deepEqual(pick(ofTrains('board', [half(1999)]), 'delaySec'), [[1]])
      assert.deepEqual(pick(ofTrains('board', [half(-1)]), 'delaySec', 'status'), [[-1, 'on_time']])
    })
  })

  describe('train hours', () => {
    it('take the percentile of the delays above zero', () => {
      const trains = Array.from({ length: 20 }, (_, i) => train(`t${i}`, T + i, 20 - i))
      trains.push(train('early', T, -30), train('next hour', T + HOUR, 0))
      assert.deepEqual(ofTrains('train-hours', trains), [
        {
          key: { key: 'WR', window: { start: T, end: T + HOUR } },
          value: {
            trains: 21,
            onTime: 1,
            minorDelay: 20,
            delay: 0,
            majorDelay: 0,
            maxDelaySec: 20,
            avgDelaySec: 10,
            p95DelaySec: 20,
            watermarkSec: 80,
          },
        },
        {
          key: { key: 'WR', window: { start: T + HOUR, end: T + 2 * HOUR } },
          value: {
            trains: 1,
            onTime: 1,
            minorDelay: 0,
            delay: 0,
            majorDelay: 0,
            maxDelaySec: 0,
            avgDelaySec: null,
            p95DelaySec: null,
            watermarkSec: null,
          },
        },
      ])
    })

    it('count definitely late trains until the hour is closed', () => {
      // Closed when highest - 6 min - 1 has come to the hour's end + 30 min - 1.
      const closing = T + HOUR + 36 * MINUTE
      assert.equal(ofTrains('train-hours', [train('a', closing - 1, 0, 'CR'), train('b', T, 900)]).length, 2)
      assert.equal(ofTrains('train-hours', [train('a', closing, 0, 'CR'), train('b', T, 900)]).length, 1)
    })
  })
})
