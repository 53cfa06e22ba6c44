import type { Train } from './events.ts'

export type DelayStatus = 'on_time' | 'minor_delay' | 'delay' | 'major_delay'

/** Negative if the train was early. */
export function delaySecOf({ scheduledAt, arrivedAt }: Train): number {
  return Math.floor((arrivedAt - scheduledAt) / 1000)
}

export function delayStatus(delaySec: number): DelayStatus {
  if (delaySec <= 0) return 'on_time'
  if (delaySec <= 120) return 'minor_delay'
  return delaySec <= 300 ? 'delay' : 'major_delay'
}
