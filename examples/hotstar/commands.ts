import type { Quality, StreamingEvent } from './events.ts'
import { QUALITIES } from './match.ts'

export interface QualityCommand {
  readonly eventId: string
  readonly command: 'quality'
  readonly action: 'quality_downgrade' | 'quality_upgrade'
  readonly from: Quality
  readonly to: Quality
  readonly reason: 'buffer_health' | 'bandwidth_insufficient' | 'improved_conditions'
}

export interface BufferCommand {
  readonly eventId: string
  readonly command: 'buffer'
  readonly action: 'emergency_buffer' | 'preventive_buffer' | 'optimize_bandwidth'
  readonly priority: 'high' | 'medium' | 'low'
}

/** Below it a quality does not play without stops, kbit/s. */
export const LOWEST_BITRATE: Readonly<Record<Quality, number>> = {
  '4K': 25_000,
  '1080p': 8000,
  '720p': 3000,
  '480p': 1500,
  '360p': 800,
}

/** What to tell the player, by this event alone. */
export function commandsFor(event: StreamingEvent): (QualityCommand | BufferCommand)[] {
  return [qualityCommand(event), bufferCommand(event)].filter((command) => command !== undefined)
}

function qualityCommand({ eventId, quality, bitrateKbps, bufferMs }: StreamingEvent): QualityCommand | undefined {
  const lowest = LOWEST_BITRATE[quality]
  const at = QUALITIES.indexOf(quality)
  const command = 'quality'
  if (bufferMs < 2000 || bitrateKbps < lowest) {
    const to = QUALITIES[at + 1]
    const reason = bufferMs < 2000 ? 'buffer_health' : 'bandwidth_insufficient'
    return to && { eventId, command, action: 'quality_downgrade', from: quality, to, reason }
  }
  if (bufferMs <= 8000 || 2 * bitrateKbps <= 3 * lowest) return undefined
  const to = QUALITIES[at - 1]
  return to && { eventId, command, action: 'quality_upgrade', from: quality, to, reason: 'improved_conditions' }
}

export function bufferCommand({ eventId, bufferMs }: StreamingEvent): BufferCommand | undefined {
  const command = 'buffer'
  if (bufferMs < 1000) return { eventId, command, action: 'emergency_buffer', priority: 'high' }
  if (bufferMs < 3000) return { eventId, command, action: 'preventive_buffer', priority: 'medium' }
  if (bufferMs > 10_000) return { eventId, command, action: 'optimize_bandwidth', priority: 'low' }
  return undefined
}
