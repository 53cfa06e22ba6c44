import { type KStream, windows } from '../../src/index.ts'
import { json, windowedJson } from '../lib/topics.ts'
import { type Alert, sendAlerts } from './alerts.ts'
import { bufferCommand, commandsFor } from './commands.ts'
import type { Viewing } from './sessions.ts'

const LOW_BUFFER = 20

/** How well the stream plays: commands to single players, and each region in windows of five minutes. */
export function quality(viewings: KStream<string, Viewing>): void {
  viewings.flatMapValues(({ event }) => commandsFor(event)).to('hotstar-commands', json)

  const byRegion = viewings.selectKey(({ region }) => region)
  sendAlerts(
    byRegion
      .filter(({ event }) => event.bufferPercent < LOW_BUFFER)
      .mapValues(({ event: { contentId, eventId, bufferPercent }, region }): Alert => {
        return { type: 'CDN_INVESTIGATE', region, contentId, eventId, bufferPercent }
      }),
  )

  const closed = byRegion
    .groupByKey()
    .windowedBy(windows.tumbling('5m').grace('20s'))
    .emit('close')
    .aggregate(newWindow, addViewing, { store: { name: 'quality', retention: '1h' }, merge: together, twoPhase: true })
    .toStream()
  closed.to('hotstar-quality', windowedJson)
  sendAlerts(
    closed
      .filter(({ changes, drops }) => changes >= 10 && drops * 100 > 30 * changes)
      .map<string, Alert>(({ changes, drops }, { key: region, window }) => [
        region,
        { type: 'QUALITY_DROPS', severity: 'MEDIUM', region, changes, drops, at: window.end },
      ]),
  )
}

function newWindow() {
  return { events: 0, changes: 0, drops: 0, lowQuality: 0, lowBuffer: 0, emergency: 0, preventive: 0, optimize: 0 }
}

type Sums = ReturnType<typeof newWindow>

/** Regions are few: their parts are added up where the events are read. */
function together(left: Sums, right: Sums): Sums {
  const sum = { ...left }
  for (const name of Object.keys(sum) as (keyof Sums)[]) sum[name] += right[name]
  return sum
}

function addViewing(window: Sums, { event, drop }: Viewing) {
  window.events++
  if (event.eventType === 'quality_change') {
    window.changes++
    if (drop) window.drops++
    if (event.quality === '480p' || event.quality === '360p') window.lowQuality++
  }
  if (event.bufferPercent < LOW_BUFFER) window.lowBuffer++
  switch (bufferCommand(event)?.action) {
    case 'emergency_buffer':
      window.emergency++
      break
    case 'preventive_buffer':
      window.preventive++
      break
    case 'optimize_bandwidth':
      window.optimize++
  }
  return window
}
