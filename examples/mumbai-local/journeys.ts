import { type KStream, windows } from '../../src/index.ts'
import { windowedJson } from '../lib/topics.ts'
import type { Tap } from './events.ts'

const MINUTE = 60_000
const HOMES = ['Andheri', 'Bandra', 'Borivali', 'Virar']
const OFFICES = ['CST', 'Churchgate', 'Lower Parel', 'BKC']

type Pattern = 'incomplete' | 'home_to_work' | 'work_to_home' | 'local_trip' | 'long_distance'

/** What is known of a journey; null where a tap is missing. */
interface Journey {
  readonly startStation: string | null
  readonly endStation: string | null
  readonly durationMin: number | null
  readonly rides: number
  readonly transfers: number
  readonly pattern: Pattern
}

/** A journey is a session of its passenger's taps: it is over when there was none for 90 minutes. */
export function journeys(taps: KStream<string, Tap>): void {
  taps
    .groupByKey()
    .windowedBy(windows.session('90m').grace('10m'))
    .emit('close')
    .aggregate(noTaps, addTap, {
      merge: (left, right) => [...left, ...right],
      store: { name: 'journeys', retention: '7d' },
    })
    .mapValues(journeyOf)
    .toStream()
    .to('local-journeys', windowedJson)
}

function noTaps(): Tap[] {
  return []
}

function addTap(taps: Tap[], tap: Tap): Tap[] {
  taps.push(tap)
  return taps
}

function journeyOf(unsorted: readonly Tap[]): Journey {
  const taps = unsorted.toSorted(byTime)
  const entry = taps.find(({ tap }) => tap === 'entry')
  const exit = taps.findLast(({ tap }) => tap === 'exit')
  let rides = 0
  let transfers = 0
  for (let i = 1; i < taps.length; i++) {
    const before = taps[i - 1] as Tap
    const now = taps[i] as Tap
    if (before.tap === 'entry' && now.tap === 'exit') rides++
    if (before.tap === 'exit' && now.tap === 'entry' && now.timestamp - before.timestamp < 30 * MINUTE) transfers++
  }
  const known = { startStation: entry?.station ?? null, endStation: exit?.station ?? null, rides, transfers }
  if (entry === undefined || exit === undefined || exit.timestamp < entry.timestamp) {
    return { ...known, durationMin: null, pattern: 'incomplete' }
  }
  const durationMin = Math.floor((exit.timestamp - entry.timestamp) / MINUTE)
  return { ...known, durationMin, pattern: patternOf(entry.station, exit.station, durationMin) }
}

/** By timestamp, entries before exits, then by station. */
function byTime(a: Tap, b: Tap): number {
  if (a.timestamp !== b.timestamp) return a.timestamp - b.timestamp
  if (a.tap !== b.tap) return a.tap === 'entry' ? -1 : 1
  return a.station < b.station ? -1 : a.station > b.station ? 1 : 0
}

function patternOf(start: string, end: string, durationMin: number): Pattern {
  if (HOMES.includes(start) && OFFICES.includes(end)) return 'home_to_work'
  if (OFFICES.includes(start) && HOMES.includes(end)) return 'work_to_home'
  return durationMin < 20 ? 'local_trip' : 'long_distance'
}
