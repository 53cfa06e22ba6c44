import { type KStream, type Processor, type ProcessorContext, serdes, stores } from '../../src/index.ts'
import { json } from '../lib/topics.ts'
import { type DelayStatus, delaySecOf, delayStatus } from './delays.ts'
import type { Train } from './events.ts'

interface BoardRow {
  readonly trainId: string
  readonly scheduledAt: number
  readonly arrivedAt: number
  readonly delaySec: number
  readonly status: DelayStatus
  /** A train that was due later had come before it. */
  readonly outOfOrder: boolean
}

interface DefinitelyLate {
  readonly type: 'DEFINITELY_LATE'
  readonly trainId: string
  readonly route: string
  readonly scheduledAt: number
  readonly delaySec: number
}

/** The trains of a route that wait for their time, in the order of the timetable, and the latest time seen in it. */
const buffer = stores.keyValue('board-buffer', {
  key: serdes.string(),
  value: serdes.msgpack<{ readonly newest: number; readonly held: readonly BoardRow[] }>(),
})

/**
 * The board shows trains in the order of the timetable, whatever order they arrive in: a train is held until the watermark
 * says that no earlier one can come. A train behind the watermark is definitely late: an alert takes the place of its row.
 */
export function board(trains: KStream<string, Train>): void {
  const { late, shown } = trains
    .process<string, BoardRow | DefinitelyLate>(inTimetableOrder, { stores: [buffer] })
    .split()
    .branch('late', (row) => 'type' in row)
    .default('shown')
  late.to('local-alerts', json)
  shown.to('local-board', json)
}

function inTimetableOrder(ctx: ProcessorContext<string, string, BoardRow | DefinitelyLate>): Processor<string, Train> {
  const routes = ctx.store(buffer)
  return {
    process(train, route) {
      const { trainId, scheduledAt, arrivedAt } = train
      const delaySec = delaySecOf(train)
      if (scheduledAt <= ctx.watermark) {
        ctx.forward({ type: 'DEFINITELY_LATE', trainId, route, scheduledAt, delaySec }, route)
        return // `newest` can do without it: whoever comes after it and is not late is due later than it
      }
      const { newest, held } = routes.get(route) ?? { newest: 0, held: [] }
      const outOfOrder = scheduledAt < newest
      const row = { trainId, scheduledAt, arrivedAt, delaySec, status: delayStatus(delaySec), outOfOrder }
      const waiting = insert(held, row)
      routes.put(route, { newest: Math.max(newest, scheduledAt), held: waiting })
      ctx.timers.set(route, waiting[0]?.scheduledAt ?? scheduledAt)
    },

    onTimer(route) {
      const state = routes.get(route)
      if (state === undefined) return
      const due = state.held.filter((row) => row.scheduledAt <= ctx.watermark)
      const held = state.held.slice(due.length)
      for (const row of due) ctx.forward(row, route)
      routes.put(route, { newest: state.newest, held })
      if (held[0] !== undefined) ctx.timers.set(route, held[0].scheduledAt)
    },
  }
}

/** Behind the trains of the same time, which came before it. */
function insert(held: readonly BoardRow[], row: BoardRow): BoardRow[] {
  const at = held.findLastIndex((other) => other.scheduledAt <= row.scheduledAt)
  return held.toSpliced(at + 1, 0, row)
}
