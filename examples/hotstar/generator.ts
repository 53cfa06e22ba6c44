import { ArrivalQueue } from '../lib/arrival-queue.ts'
import { delays } from '../lib/delays.ts'
import { writeLines } from '../lib/json-lines.ts'
import { command, defaultParams, type GeneratorParams } from '../lib/options.ts'
import { Random, weighted } from '../lib/random.ts'
import { LOWEST_BITRATE } from './commands.ts'
import type { EventType, Quality, StreamingEvent } from './events.ts'
import { FINAL, PHASES, START } from './match.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND

/** Of all events, what a player does; the rest is what its network does. */
const usually = weighted<EventType>([
  ['play', 0.6 * 0.96],
  ['quality_change', 0.15 * 0.96],
  ['pause', 0.2 * 0.96],
  ['stop', 0.05 * 0.96],
  ['buffer', 0.03],
  ['error', 0.01],
])
const atTheEnd = weighted<EventType>([
  ['play', 0.7 * 0.96],
  ['quality_change', 0.2 * 0.96],
  ['pause', 0.08 * 0.96],
  ['stop', 0.02 * 0.96],
  ['buffer', 0.03],
  ['error', 0.01],
])
type Shares<T> = readonly (readonly [item: T, weight: number])[]

export const CONTENTS: Shares<string> = [
  [FINAL, 0.92],
  ['ipl_studio_hindi', 0.08],
]
export const LOCATIONS: Shares<string> = [
  ['mumbai', 0.15],
  ['chennai', 0.12],
  ['delhi', 0.1],
  ['bangalore', 0.1],
  ['hyderabad', 0.08],
  ['kolkata', 0.08],
  ['other_india', 0.32],
  ['international', 0.05],
]
export const DEVICES: Shares<StreamingEvent['deviceType']> = [
  ['mobile', 0.7],
  ['smart_tv', 0.15],
  ['tablet', 0.1],
  ['laptop', 0.05],
]
export const NETWORKS: Shares<StreamingEvent['networkType']> = [
  ['4G', 0.5],
  ['5G', 0.2],
  ['WiFi', 0.2],
  ['broadband', 0.1],
]
export const QUALITY_SHARES: Shares<Quality> = [
  ['4K', 0.02],
  ['1080p', 0.08],
  ['720p', 0.3],
  ['480p', 0.4],
  ['360p', 0.2],
]

const content = weighted(CONTENTS)
const location = weighted(LOCATIONS)
const device = weighted(DEVICES)
const network = weighted(NETWORKS)
const quality = weighted(QUALITY_SHARES)

/** A viewer before the screen. */
interface Player {
  readonly about: Pick<
    StreamingEvent,
    'userId' | 'deviceId' | 'sessionId' | 'contentId' | 'location' | 'deviceType' | 'networkType'
  >
  quality: Quality
}

/** Events in the order of their arrival. */
export function* generate(params: Partial<GeneratorParams> = {}): Generator<StreamingEvent> {
  const { seed, count, late, disorder } = { ...defaultParams, ...params }
  const delay = delays(new Random(seed, 1), {
    disorder,
    late,
    bound: 10 * SECOND,
    slightly: [10 * SECOND + 1, 30 * SECOND],
    very: [7 * MINUTE, 20 * MINUTE],
  })
  const underWay = new ArrivalQueue<StreamingEvent>()
  for (const event of inOrder(new Random(seed), count)) {
    while (underWay.next <= event.timestamp) yield underWay.shift()
    underWay.push(event.timestamp + delay(), event)
  }
  yield* underWay.until(Number.POSITIVE_INFINITY)
}

/** Events in the order of their times. */
function* inOrder(random: Random, count: number): Generator<StreamingEvent> {
  const stadium = new Stadium(random)
  const total = PHASES.reduce((sum, { seconds, weight }) => sum + seconds * weight, 0)
  let from = START
  let share = 0
  let made = 0
  for (const { name, seconds, weight } of PHASES) {
    share += seconds * weight
    const upTo = name === 'super_over' ? count : Math.round((count * share) / total)
    const times = new Float64Array(upTo - made).map(() => from + random.int(0, seconds * SECOND - 1)).sort()
    const type = name === 'super_over' ? atTheEnd : usually
    for (const timestamp of times) yield stadium.event(type(random), ++made, timestamp)
    from += seconds * SECOND
  }
}

/** Who watches, and who has paused. */
class Stadium {
  readonly #random: Random
  readonly #playing: Player[] = []
  readonly #paused: Player[] = []
  #players = 0

  constructor(random: Random) {
    this.#random = random
  }

  event(wanted: EventType, number: number, timestamp: number): StreamingEvent {
    const random = this.#random
    const eventType = this.#playing.length === 0 ? 'play' : wanted
    const player = this.#playerFor(eventType)
    if (eventType === 'quality_change') player.quality = another(player.quality, random)
    const { quality } = player
    const bufferPercent = Math.min(100, Math.max(0, Math.round(75 + 25 * gauss(random))))
    return {
      eventId: `E${digits(number, 8)}`,
      ...player.about,
      eventType,
      timestamp,
      quality,
      bitrateKbps: Math.round(LOWEST_BITRATE[quality] * (0.6 + 1.4 * random.fraction())),
      bufferPercent,
      bufferMs: Math.max(0, 100 * bufferPercent + random.int(-1000, 1000)),
    }
  }

  /** Who has the event; playing, paused or gone as it says. */
  #playerFor(eventType: EventType): Player {
    const random = this.#random
    if (eventType === 'play') {
      const resumes = random.chance(0.25) && this.#paused.length > 0
      const player = resumes ? take(this.#paused, random) : this.#newPlayer()
      this.#playing.push(player)
      return player
    }
    if (eventType !== 'pause' && eventType !== 'stop') return random.pick(this.#playing)
    const player = take(this.#playing, random)
    if (eventType === 'pause') this.#paused.push(player)
    return player
  }

  #newPlayer(): Player {
    const random = this.#random
    const n = digits(++this.#players, 7)
    return {
      about: {
        userId: `U${n}`,
        deviceId: `D${n}`,
        sessionId: `S${n}`,
        contentId: content(random),
        location: location(random),
        deviceType: device(random),
        networkType: network(random),
      },
      quality: quality(random),
    }
  }
}

function another(before: Quality, random: Random): Quality {
  for (;;) {
    const drawn = quality(random)
    if (drawn !== before) return drawn
  }
}

/** About normally distributed, mean 0 and deviation 1: twelve uniform numbers (a logarithm may differ from machine to machine). */
function gauss(random: Random): number {
  let sum = -6
  for (let i = 0; i < 12; i++) sum += random.fraction()
  return sum
}

/** Takes out any item; the order of the others does not matter. */
function take<T>(items: T[], random: Random): T {
  const i = random.int(0, items.length - 1)
  const taken = items[i] as T
  items[i] = items.at(-1) as T
  items.pop()
  return taken
}

function digits(n: number, width: number): string {
  return String(n).padStart(width, '0')
}

if (import.meta.main) {
  await command((options) => writeLines(generate(options), options))
}
