import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ArrivalQueue } from '../lib/arrival-queue.ts'
import { delays } from '../lib/delays.ts'
import { writeLines } from '../lib/json-lines.ts'
import { command, defaultParams, type GeneratorParams } from '../lib/options.ts'
import { Random, weighted } from '../lib/random.ts'
import type { Tap, Train } from './events.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
/** 20:00 in Mumbai. */
const START = Date.UTC(2024, 6, 1, 14, 30)

/** First entries of a day's hours, from midnight in Mumbai. */
const DAY = [
  150, 80, 45, 30, 40, 200, 800, 2500, 3000, 1500, 1200, 1000, 900, 800, 700, 600, 700, 1200, 2800, 2200, 1800, 1000,
  600, 300,
]
const HOMES = ['Andheri', 'Bandra', 'Borivali', 'Virar']
const OFFICES = ['CST', 'Churchgate', 'Lower Parel', 'BKC']
const STATIONS = [...HOMES, ...OFFICES, 'Dadar', 'Kurla', 'Thane']

type Direction = 'toWork' | 'toHome' | 'any'
const morning = weighted<Direction>([
  ['toWork', 0.6],
  ['toHome', 0.1],
  ['any', 0.3],
])
const evening = weighted<Direction>([
  ['toHome', 0.6],
  ['toWork', 0.1],
  ['any', 0.3],
])
const otherwise = weighted<Direction>([
  ['toHome', 0.3],
  ['toWork', 0.3],
  ['any', 0.4],
])

/** Both inputs, each in the order of its arrival: `count` taps, and the trains of the time that they cover. */
export function generate(params: Partial<GeneratorParams> = {}): { taps: Iterable<Tap>; trains: Iterable<Train> } {
  return { taps: generateTaps(params), trains: generateTrains(params) }
}

/** The taps alone. */
export function* generateTaps(params: Partial<GeneratorParams> = {}): Generator<Tap> {
  const { seed, count, late, disorder } = { ...defaultParams, ...params }
  const delay = delays(new Random(seed, 1), {
    disorder,
    late,
    bound: 2 * MINUTE,
    slightly: [2 * MINUTE + 1, 9 * MINUTE],
    very: [115 * MINUTE, 200 * MINUTE],
  })
  const underWay = new ArrivalQueue<Tap>()
  let made = 0
  for (const journey of journeys(new Random(seed))) {
    while (underWay.next <= journey.taps[0]!.at) yield underWay.shift()
    for (const { station, tap, at } of journey.taps) {
      if (made === count) break
      const tapId = `T${digits(++made, 8)}`
      underWay.push(at + delay(), { tapId, passengerId: journey.passengerId, station, tap, timestamp: at })
    }
    if (made === count) break
  }
  yield* underWay.until(Number.POSITIVE_INFINITY)
}

interface Journey {
  readonly passengerId: string
  readonly taps: readonly { readonly station: string; readonly tap: 'entry' | 'exit'; readonly at: number }[]
}

/** Journeys without end, in the order of their first entries. */
function* journeys(random: Random): Generator<Journey> {
  const away = new ArrivalQueue<string>()
  const rested: string[] = []
  let passengers = 0
  for (let start = START; ; start += HOUR) {
    const hour = hourInMumbai(start)
    const entries = new Float64Array(DAY[hour] as number).map(() => start + random.int(0, HOUR - 1)).sort()
    for (const at of entries) {
      while (away.next <= at) rested.push(away.shift())
      const known = !random.chance(0.7) && rested.length > 0
      const passengerId = known ? takeAny(rested, random) : `P${digits(++passengers, 6)}`
      const taps = ride(random, hour, at)
      away.push(taps.at(-1)!.at + 4 * HOUR, passengerId)
      yield { passengerId, taps }
    }
  }
}

/** One ride, or two with a change of trains between them. */
function ride(random: Random, hour: number, at: number): Journey['taps'] {
  const [from, to] = ends(random, hour)
  const arrival = at + random.int(10 * MINUTE, 75 * MINUTE)
  if (!random.chance(0.2)) {
    return [
      { station: from, tap: 'entry', at },
      { station: to, tap: 'exit', at: arrival },
    ]
  }
  const change = random.pick(STATIONS.filter((station) => station !== from && station !== to))
  const departure = arrival + random.int(2 * MINUTE, 12 * MINUTE)
  return [
    { station: from, tap: 'entry', at },
    { station: change, tap: 'exit', at: arrival },
    { station: change, tap: 'entry', at: departure },
    { station: to, tap: 'exit', at: departure + random.int(10 * MINUTE, 40 * MINUTE) },
  ]
}

function ends(random: Random, hour: number): [from: string, to: string] {
  const direction = hour >= 16 && hour <= 22 ? evening : hour >= 6 && hour <= 11 ? morning : otherwise
  switch (direction(random)) {
    case 'toWork':
      return [random.pick(HOMES), random.pick(OFFICES)]
    case 'toHome':
      return [random.pick(OFFICES), random.pick(HOMES)]
    case 'any': {
      const from = random.pick(STATIONS)
      return [from, random.pick(STATIONS.filter((station) => station !== from))]
    }
  }
}

const ROUTES = [
  { route: 'Churchgate-Virar', prefix: 'WR' },
  { route: 'CST-Kalyan', prefix: 'CR' },
  { route: 'CST-Panvel', prefix: 'HR' },
]

/** The trains alone, from the first tap's time to the last one's. */
export function* generateTrains(params: Partial<GeneratorParams> = {}): Generator<Train> {
  const { seed, late } = { ...defaultParams, ...params }
  const random = new Random(seed, 2)
  let end = 0
  for (const tap of generateTaps(params)) end = Math.max(end, tap.timestamp)

  const underWay = new ArrivalQueue<Train>()
  let number = 0
  for (let scheduledAt = START; scheduledAt <= end; scheduledAt += headway(scheduledAt)) {
    const earliest = scheduledAt - 60 * SECOND
    while (underWay.next < earliest) yield underWay.shift()
    number++
    for (const { route, prefix } of ROUTES) {
      const delay = random.chance(3 * late) ? random.int(301, 1500) : random.int(-60, 300)
      const arrivedAt = scheduledAt + delay * SECOND
      underWay.push(arrivedAt, { trainId: `${prefix}${digits(number, 5)}`, route, scheduledAt, arrivedAt })
    }
  }
  yield* underWay.until(Number.POSITIVE_INFINITY)
}

/** A train each 3 minutes from 05:00 to 23:59, else each 15. */
function headway(time: number): number {
  return hourInMumbai(time) >= 5 ? 3 * MINUTE : 15 * MINUTE
}

function hourInMumbai(time: number): number {
  return Math.floor((time + 5.5 * HOUR) / HOUR) % 24
}

/** Takes out any item; the order of the others does not matter. */
function takeAny(items: string[], random: Random): string {
  const i = random.int(0, items.length - 1)
  const taken = items[i] as string
  items[i] = items.at(-1) as string
  items.pop()
  return taken
}

function digits(n: number, width: number): string {
  return String(n).padStart(width, '0')
}

if (import.meta.main) {
  await command(async (options) => {
    const folder = options.out ?? '.'
    await mkdir(folder, { recursive: true })
    const trains = [...generateTrains(options)]
    const trainRate = options.rate && (options.rate * trains.length) / options.count
    await Promise.all([
      writeLines(generateTaps(options), { out: join(folder, 'local-taps.jsonl'), rate: options.rate }),
      writeLines(trains, { out: join(folder, 'local-trains.jsonl'), rate: trainRate }),
    ])
  })
}
