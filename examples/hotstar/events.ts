import { isObject, schema } from '../lib/topics.ts'
import { QUALITIES } from './match.ts'

/** What a player tells while a match runs. Key: the session. */
export interface StreamingEvent {
  readonly eventId: string
  readonly userId: string
  readonly deviceId: string
  readonly sessionId: string
  readonly contentId: string
  readonly eventType: EventType
  /** Epoch milliseconds. */
  readonly timestamp: number
  /** After the event. */
  readonly quality: Quality
  /** A city, lower case. */
  readonly location: string
  readonly deviceType: 'mobile' | 'smart_tv' | 'tablet' | 'laptop'
  readonly networkType: '4G' | '5G' | 'WiFi' | 'broadband'
  readonly bitrateKbps: number
  /** 0 to 100. */
  readonly bufferPercent: number
  /** Video buffered ahead. */
  readonly bufferMs: number
}

export type EventType = 'play' | 'pause' | 'stop' | 'quality_change' | 'buffer' | 'error'
export type Quality = (typeof QUALITIES)[number]

const types: ReadonlySet<unknown> = new Set(['play', 'pause', 'stop', 'quality_change', 'buffer', 'error'])
const qualities: ReadonlySet<unknown> = new Set(QUALITIES)
const devices: ReadonlySet<unknown> = new Set(['mobile', 'smart_tv', 'tablet', 'laptop'])
const networks: ReadonlySet<unknown> = new Set(['4G', '5G', 'WiFi', 'broadband'])

export const streamingEvent = schema(
  isStreamingEvent,
  'a streaming event: text fields, a known eventType, quality, device and network, whole numbers',
)

function isStreamingEvent(event: unknown): event is StreamingEvent {
  return (
    isObject(event) &&
    typeof event.eventId === 'string' &&
    typeof event.userId === 'string' &&
    typeof event.deviceId === 'string' &&
    typeof event.sessionId === 'string' &&
    typeof event.contentId === 'string' &&
    typeof event.location === 'string' &&
    types.has(event.eventType) &&
    qualities.has(event.quality) &&
    devices.has(event.deviceType) &&
    networks.has(event.networkType) &&
    isCount(event.timestamp) &&
    isCount(event.bitrateKbps) &&
    isCount(event.bufferPercent) &&
    event.bufferPercent <= 100 &&
    isCount(event.bufferMs)
  )
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
