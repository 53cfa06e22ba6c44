import { type KStream, windows } from '../../src/index.ts'
import { windowedJson } from '../lib/topics.ts'
import { type DelayStatus, delaySecOf, delayStatus } from './delays.ts'
import type { Train } from './events.ts'

/** How punctual each route was in each hour of the timetable, and the watermark that its delays suggest. */
export function trainHours(trains: KStream<string, Train>): void {
  trains
    .groupByKey()
    .windowedBy(windows.tumbling('1h', { offset: '30m' }).grace('30m'))
    .emit('close')
    .aggregate(noDelays, addDelay, { store: { name: 'train-hours', retention: '7d' } })
    .toStream()
    .mapValues(punctuality)
    .to('local-train-hours', windowedJson)
}

function noDelays(): number[] {
  return []
}

function addDelay(delays: number[], train: Train): number[] {
  delays.push(delaySecOf(train))
  return delays
}

function punctuality(delays: readonly number[]) {
  const trains: Record<DelayStatus, number> = { on_time: 0, minor_delay: 0, delay: 0, major_delay: 0 }
  for (const delay of delays) trains[delayStatus(delay)]++

  const late = delays.filter((delay) => delay > 0).sort((a, b) => a - b)
  const total = late.reduce((sum, delay) => sum + delay, 0)
  const p95 = late[Math.floor((95 * late.length) / 100)] ?? null
  return {
    trains: delays.length,
    onTime: trains.on_time,
    minorDelay: trains.minor_delay,
    delay: trains.delay,
    majorDelay: trains.major_delay,
    maxDelaySec: Math.max(...delays),
    avgDelaySec: late.length === 0 ? null : Math.floor(total / late.length),
    p95DelaySec: p95,
    watermarkSec: p95 === null ? null : p95 + 60,
  }
}
