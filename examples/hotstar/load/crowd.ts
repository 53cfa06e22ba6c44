import { Random, weighted } from '../../lib/random.ts'
import { LOWEST_BITRATE } from '../commands.ts'
import type { EventType } from '../events.ts'
import { CONTENTS, DEVICES, LOCATIONS, NETWORKS, QUALITY_SHARES } from '../generator.ts'
import { PHASES, START } from '../match.ts'

const total = PHASES.reduce((sum, { seconds }) => sum + seconds, 0) * 1000

/** What a seat that plays does next. */
const next = weighted<EventType>([
  ['quality_change', 0.4],
  ['pause', 0.3],
  ['stop', 0.05],
  ['buffer', 0.2],
  ['error', 0.05],
])

/** The share of each item, as a table that one byte looks up. */
const lookup = <T>(shares: readonly (readonly [item: T, weight: number])[]) => {
  const items = shares.map(([item]) => item)
  const draw = weighted(shares.map(([, weight], i) => [i, weight] as const))
  return { items, draw }
}
const contents = lookup(CONTENTS)
const locations = lookup(LOCATIONS)
const devices = lookup(DEVICES)
const networks = lookup(NETWORKS)
const qualities = lookup(QUALITY_SHARES)

/**
 * So many seats, each with a player before it at any time: who stops makes room for another one, with a session of its own. Held in
 * columns and written as text straight away, so that making 200,000 events a second costs little of what is measured.
 */
export class Crowd {
  readonly #random: Random
  readonly #seats: number
  readonly #playing: Uint8Array
  /** Sessions that the seat has had. */
  readonly #sessions: Uint16Array
  readonly #quality: Uint8Array
  readonly #content: Uint8Array
  readonly #location: Uint8Array
  readonly #device: Uint8Array
  readonly #network: Uint8Array
  #events = 0

  constructor(seats: number, seed: number) {
    this.#random = new Random(seed)
    this.#seats = seats
    const column = (draw: (random: Random) => number) => Uint8Array.from({ length: seats }, () => draw(this.#random))
    this.#playing = new Uint8Array(seats)
    this.#sessions = new Uint16Array(seats)
    this.#quality = column(qualities.draw)
    this.#content = column(contents.draw)
    this.#location = column(locations.draw)
    this.#device = column(devices.draw)
    this.#network = column(networks.draw)
  }

  get seats(): number {
    return this.#seats
  }

  /** The first event of a seat: its player begins to play. */
  arrive(seat: number): { readonly key: string; readonly value: string } {
    return this.#event(seat, 'play', START)
  }

  /** Somebody does something. @param share of the evening that is over, 0 to 1 */
  act(share: number): { readonly key: string; readonly value: string } {
    const random = this.#random
    const seat = random.uint32() % this.#seats
    const type = this.#playing[seat] === 0 ? 'play' : next(random)
    return this.#event(seat, type, START + Math.floor(share * total))
  }

  #event(seat: number, type: EventType, timestamp: number): { readonly key: string; readonly value: string } {
    const random = this.#random
    const key = `S${seat}-${this.#sessions[seat]}`
    if (type === 'play') this.#playing[seat] = 1
    else if (type === 'pause') this.#playing[seat] = 0
    else if (type === 'stop') {
      this.#playing[seat] = 0
      this.#sessions[seat]!++
    } else if (type === 'quality_change') this.#quality[seat] = qualities.draw(random)
    const quality = qualities.items[this.#quality[seat]!]!
    // about normal: four uniform numbers
    const bell = random.fraction() + random.fraction() + random.fraction() + random.fraction() - 2
    const bufferPercent = Math.min(100, Math.max(0, Math.round(75 + 43 * bell)))
    const value =
      `{"eventId":"E${++this.#events}","userId":"U${seat}","deviceId":"D${seat}","sessionId":"${key}",` +
      `"contentId":"${contents.items[this.#content[seat]!]}","eventType":"${type}","timestamp":${timestamp},` +
      `"quality":"${quality}","location":"${locations.items[this.#location[seat]!]}",` +
      `"deviceType":"${devices.items[this.#device[seat]!]}","networkType":"${networks.items[this.#network[seat]!]}",` +
      `"bitrateKbps":${Math.round(LOWEST_BITRATE[quality] * (0.6 + 1.4 * random.fraction()))},` +
      `"bufferPercent":${bufferPercent},"bufferMs":${Math.max(0, 100 * bufferPercent + random.int(-1000, 1000))}}`
    return { key, value }
  }
}
