import { type KStream, windows } from '../../src/index.ts'
import { dateInIndia, hourInIndia, startOfHourInIndia } from '../lib/india.ts'
import { countIn, mostFrequent, type Tally } from '../lib/tally.ts'
import { json, windowedJson } from '../lib/topics.ts'
import type { Tap } from './events.ts'

const HOUR = 3_600_000
/** India's hours begin at half past in UTC, its days at 18:30. */
const offset = '30m'
const timeZone = 'Asia/Kolkata'

/** How full the network is: by the hour, over three hours, and by the day. Passengers are entries. */
export function passengers(taps: KStream<string, Tap>): void {
  const entries = taps.filter(({ tap }) => tap === 'entry').groupBy(() => 'mumbai')

  const hours = entries
    .windowedBy(windows.tumbling('1h', { offset }).grace('10m'))
    .emit('close')
    .lateTo((late) =>
      late.map(({ tapId, station, timestamp }) => [tapId, { tapId, station, timestamp }]).to('local-late', json),
    )
    .aggregate(newHour, addToHour, { store: { name: 'hourly', retention: '7d' } })
    .toStream()
    .mapValues(({ passengers, stations }, { window }) => ({
      hour: hourInIndia(window.start),
      passengers,
      class: classOf(passengers),
      busiest: mostFrequent(stations),
    }))
  hours.to('local-hourly', windowedJson)
  hours
    .filter((hour) => hour.class === 'PEAK')
    .map(({ passengers }, { key, window }) => [key, { type: 'PEAK_HOUR', windowStart: window.start, passengers }])
    .to('local-alerts', json)

  entries
    .windowedBy(windows.hopping('3h', { advance: '1h', offset }).grace('10m'))
    .emit('close')
    .aggregate(noEntries, addToRolling, { merge: addUp, store: { name: 'rolling', retention: '7d' } })
    .toStream()
    .mapValues((perHour, { window }) => rollingRow([0, 1, 2].map((i) => perHour[window.start + i * HOUR] ?? 0)))
    .to('local-rolling', windowedJson)

  entries
    .windowedBy(windows.tumbling('1d', { timeZone }).grace('10m'))
    .emit('close')
    .aggregate(newDay, addToDay, { store: { name: 'daily', retention: '30d' } })
    .toStream()
    .mapValues((day, { window }) => ({ date: dateInIndia(window.start), ...day }))
    .to('local-daily', windowedJson)
}

interface Hour {
  passengers: number
  stations: Tally
}

function newHour(): Hour {
  return { passengers: 0, stations: {} }
}

function addToHour(hour: Hour, { station }: Tap): Hour {
  hour.passengers++
  countIn(hour.stations, station)
  return hour
}

function classOf(passengers: number): 'PEAK' | 'BUSY' | 'NORMAL' | 'QUIET' {
  if (passengers > 2000) return 'PEAK'
  if (passengers > 1000) return 'BUSY'
  return passengers > 500 ? 'NORMAL' : 'QUIET'
}

/** Entries by the start of their hour. */
type PerHour = Record<number, number>

function noEntries(): PerHour {
  return {}
}

function addToRolling(perHour: PerHour, { timestamp }: Tap): PerHour {
  const hour = startOfHourInIndia(timestamp)
  perHour[hour] = (perHour[hour] ?? 0) + 1
  return perHour
}

function addUp(left: PerHour, right: PerHour): PerHour {
  const both = { ...left }
  for (const [hour, entries] of Object.entries(right)) both[Number(hour)] = (both[Number(hour)] ?? 0) + entries
  return both
}

function rollingRow(hours: readonly number[]) {
  const [first = 0, second = 0, third = 0] = hours
  const passengers = first + second + third
  const trend = 5 * third > 6 * first ? 'rising' : 5 * third < 4 * first ? 'falling' : 'stable'
  return { passengers, avgPerHour: Math.floor(passengers / 3), hours, trend }
}

interface Day {
  passengers: number
  morningPeak: number
  eveningPeak: number
  offPeak: number
}

function newDay(): Day {
  return { passengers: 0, morningPeak: 0, eveningPeak: 0, offPeak: 0 }
}

function addToDay(day: Day, { timestamp }: Tap): Day {
  const hour = hourInIndia(timestamp)
  day.passengers++
  if (hour >= 7 && hour <= 9) day.morningPeak++
  else if (hour >= 18 && hour <= 20) day.eveningPeak++
  else if (hour === 23 || hour <= 5) day.offPeak++
  return day
}
