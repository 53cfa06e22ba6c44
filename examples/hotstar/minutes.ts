import {
  type KStream,
  type Processor,
  type ProcessorContext,
  serdes,
  stores,
  type Window,
  windows,
} from '../../src/index.ts'
import { countIn, type Tally } from '../lib/tally.ts'
import { json, windowedJson } from '../lib/topics.ts'
import { type Alert, sendAlerts } from './alerts.ts'
import { VIEWERS } from './match.ts'
import type { Viewing } from './sessions.ts'

const MILLION = 1_000_000
const SCALE_LIMIT = 50 * MILLION

interface Minute {
  events: number
  joined: number
  left: number
  errors: number
  bufferPercents: number
  regions: Tally
  qualities: Tally
  networks: Tally
  devices: Tally
}

/** Viewers of a content at the end of its last minute. */
interface Audience {
  readonly concurrent: number
  readonly peak: number
}

const audience = stores.keyValue('concurrent', { key: serdes.string(), value: serdes.msgpack<Audience>() })

/** Each content by the minute, with its viewers at the minute's end. */
export function minutes(viewings: KStream<string, Viewing>): void {
  const closed = viewings
    .map((viewing) => [viewing.event.contentId, factsOf(viewing)])
    .groupByKey()
    .windowedBy(windows.tumbling('1m').grace('20s'))
    .emit('close')
    .lateTo((late) =>
      late
        .map(({ eventId, sessionId, timestamp }) => [eventId, { eventId, sessionId, timestamp }])
        .to('hotstar-late', json),
    )
    .aggregate(newMinute, addFacts, { store: { name: 'minutes', retention: '1h' } })
    .toStream()
    .map((minute, { key, window }) => [key, { minute, window }])

  const { alert, row } = closed
    .process<string, Alert | Counted>(runningTotals, { stores: [audience] })
    .split()
    .branch('alert', (value) => 'type' in value)
    .default('row')
  sendAlerts(alert)
  row.map(({ window, ...value }, key) => [{ key, window }, value]).to('hotstar-minutes', windowedJson)
}

/** What a minute needs of a viewing: the less goes from task to task. */
function factsOf({ event, region, delta }: Viewing) {
  const { eventId, sessionId, timestamp, eventType, bufferPercent, quality, networkType, deviceType } = event
  const failed = eventType === 'error'
  return { eventId, sessionId, timestamp, failed, bufferPercent, quality, networkType, deviceType, region, delta }
}

type Facts = ReturnType<typeof factsOf>

interface Closed {
  readonly minute: Minute
  readonly window: Window
}

type Counted = Audience & Omit<Minute, 'errors' | 'bufferPercents'> & { readonly window: Window }

/** Windows of a content close in the order of time, so that each goes on from the one before it. */
function runningTotals(ctx: ProcessorContext<string, string, Alert | Counted>): Processor<string, Closed> {
  const store = ctx.store(audience)
  return {
    process({ minute, window }, contentId) {
      const before = store.get(contentId) ?? { concurrent: 0, peak: 0 }
      const concurrent = Math.max(0, before.concurrent + (minute.joined - minute.left) * VIEWERS)
      const now = { concurrent, peak: Math.max(before.peak, concurrent) }
      store.put(contentId, now)
      ctx.forward({ window, ...rowOf(minute, now) }, contentId)
      for (const alert of alertsOf(contentId, before, now, window.end)) ctx.forward(alert, contentId)
    },
  }
}

function* alertsOf(contentId: string, before: Audience, { concurrent, peak }: Audience, at: number): Generator<Alert> {
  for (let k = Math.floor(before.peak / MILLION) + 1; k * MILLION <= peak; k++) {
    yield { type: 'MILESTONE', contentId, viewers: k * MILLION, at }
  }
  if (concurrent > SCALE_LIMIT && before.concurrent <= SCALE_LIMIT) {
    yield { type: 'SCALE_ALERT', severity: 'HIGH', contentId, concurrent, at, action: 'AUTO_SCALE_IMMEDIATELY' }
  }
}

function newMinute(): Minute {
  return {
    events: 0,
    joined: 0,
    left: 0,
    errors: 0,
    bufferPercents: 0,
    regions: {},
    qualities: {},
    networks: {},
    devices: {},
  }
}

function addFacts(minute: Minute, facts: Facts): Minute {
  const { delta } = facts
  minute.events++
  if (delta === 1) minute.joined++
  if (delta === -1) minute.left++
  if (facts.failed) minute.errors++
  minute.bufferPercents += facts.bufferPercent
  countIn(minute.regions, facts.region)
  countIn(minute.qualities, facts.quality)
  countIn(minute.networks, facts.networkType)
  countIn(minute.devices, facts.deviceType)
  return minute
}

function rowOf({ errors, bufferPercents, ...minute }: Minute, { concurrent, peak }: Audience) {
  return {
    ...minute,
    concurrent,
    peak,
    avgBufferPercent: Math.floor(bufferPercents / minute.events),
    errorRateBp: Math.floor((errors * 10_000) / minute.events),
  }
}
