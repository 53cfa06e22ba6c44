import type { EmitSpec } from '../../../../src/dsl/plan/index.ts'
import type { Out } from '../rig.ts'

interface Rec {
  readonly ts: number
  readonly gap: number
}

interface ModelSession {
  readonly key: string
  records: Rec[]
  values: number[]
  shown: { window: readonly [number, number]; value: unknown }[]
  pending: boolean
}

/** Sessions by the book: every question is answered by looking at all records. */
export class SessionModel {
  readonly outs: Out[] = []
  readonly lates: unknown[] = []
  private open: ModelSession[] = []
  private w = Number.NEGATIVE_INFINITY
  private max = Number.NEGATIVE_INFINITY
  private readonly grace: number
  private readonly emit: EmitSpec
  private readonly needsOld: boolean
  private readonly bound: number

  constructor(grace: number, emit: EmitSpec, needsOld: boolean, bound: number) {
    this.grace = grace
    this.emit = emit
    this.needsOld = needsOld
    this.bound = bound
  }

  send(key: string, value: number, ts: number, gap: number): void {
    this.take(key, value, ts, gap)
    this.max = Math.max(this.max, ts)
    this.advance(this.max - this.bound - 1)
  }

  advance(w: number): void {
    for (;;) {
      const at = Math.min(...this.open.map((session) => this.dueOf(session)))
      if (at > w || at === Number.POSITIVE_INFINITY) break
      this.w = Math.max(this.w, at - 1)
      const due = this.open.filter((session) => this.dueOf(session) <= at)
      due.sort((a, b) => start(a) - start(b) || (a.key < b.key ? -1 : 1))
      for (const session of due) {
        if (this.emit.mode === 'close') this.row(session)
        else if (this.emit.mode !== 'update' && session.pending) this.show(session)
      }
      this.open = this.open.filter((session) => reach(session) + this.grace > at)
    }
    this.w = Math.max(this.w, w)
  }

  private take(key: string, value: number, ts: number, gap: number): void {
    const touching = this.open
      .filter((session) => session.key === key && session.records.some((r) => ts <= r.ts + r.gap && r.ts <= ts + gap))
      .sort((a, b) => start(a) - start(b))
    if (touching.length === 0 && ts + gap + this.grace <= this.w) {
      this.lates.push([key, value, ts])
      return
    }
    const merged: ModelSession = {
      key,
      records: [...touching.flatMap(({ records }) => records), { ts, gap }],
      values: [...touching.flatMap(({ values }) => values), value],
      shown: touching.flatMap(({ shown }) => shown),
      pending: true,
    }
    this.open = [...this.open.filter((session) => !touching.includes(session)), merged]
    if (this.emit.mode === 'update' || (this.emit.mode === 'onTime' && reach(merged) <= this.w)) this.show(merged)
  }

  private dueOf(session: ModelSession): number {
    const closeAt = reach(session) + this.grace
    const { mode } = this.emit
    if (!session.pending || mode === 'close' || mode === 'update') return closeAt
    if (this.emit.mode !== 'every') return reach(session)
    let tick = this.emit.interval - 1
    while (tick < start(session) || tick <= this.w) tick += this.emit.interval
    return Math.min(closeAt, tick)
  }

  private show(session: ModelSession): void {
    const [from, to] = [start(session), end(session)]
    let old: unknown
    for (const { window, value } of session.shown) {
      const same = window[0] === from && window[1] === to
      if (same && (this.emit.mode !== 'update' || from === to)) old = value
      else this.out(session, window, null, value, window[1])
    }
    const value = { all: [...session.values] }
    session.shown = [{ window: [from, to], value }]
    session.pending = false
    this.out(session, [from, to], value, old)
  }

  private row(session: ModelSession): void {
    this.out(session, [start(session), end(session)], { all: [...session.values] }, undefined)
  }

  private out(
    session: ModelSession,
    window: readonly [number, number],
    value: unknown,
    old: unknown,
    ts = end(session),
  ): void {
    this.outs.push({ key: session.key, window, value, old: this.needsOld ? old : undefined, ts })
  }
}

const start = ({ records }: ModelSession): number => Math.min(...records.map(({ ts }) => ts))
const end = ({ records }: ModelSession): number => Math.max(...records.map(({ ts }) => ts))
const reach = ({ records }: ModelSession): number => Math.max(...records.map(({ ts, gap }) => ts + gap))
