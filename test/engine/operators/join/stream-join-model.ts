import { compareKeys } from '../../../../src/state/codec/index.ts'

export type Side = 'left' | 'right'
export interface Joined {
  readonly key: string | null
  readonly value: string
  readonly timestamp: number
}
export interface Spec {
  readonly how: 'inner' | 'left' | 'outer'
  readonly before: number
  readonly after: number
  readonly grace: number
}
interface Known {
  readonly side: Side
  readonly key: string
  readonly value: string
  readonly ts: number
  readonly closes: number
  matched: boolean
}

/** A stream-stream join that forgets nothing and looks at everything. */
export class JoinModel {
  readonly out: Joined[] = []
  private readonly spec: Spec
  private readonly known: Known[] = []
  private w = Number.NEGATIVE_INFINITY

  constructor(spec: Spec) {
    this.spec = spec
  }

  record(side: Side, key: string | null, value: string | null, ts: number): void {
    if (value === null) return
    if (key === null) {
      if (this.keeps(side)) this.alone(side, key, value, ts)
      return
    }
    const partners = this.partners(side, key, ts)
    for (const other of partners) {
      this.pair(side, key, value, ts, other)
      other.matched = true
    }
    const closes = ts + this.reach(side)
    if (closes > this.w) this.known.push({ side, key, value, ts, closes, matched: partners.length > 0 })
    else if (partners.length === 0 && this.keeps(side)) this.alone(side, key, value, ts)
  }

  /** Of a stream joined with itself: as the left one, then as the right one; it always meets itself. */
  both(key: string | null, value: string | null, ts: number): void {
    if (value === null) return
    if (key === null) {
      for (const side of ['left', 'right'] as const) if (this.keeps(side)) this.alone(side, key, value, ts)
      return
    }
    for (const other of this.partners('left', key, ts)) this.pair('left', key, value, ts, other)
    const itself = { side: 'left', key, value, ts, closes: 0, matched: true } as const
    const others = [...this.partners('right', key, ts), itself].sort((a, b) => a.ts - b.ts)
    for (const other of others) this.pair('right', key, value, ts, other)
    for (const side of ['left', 'right'] as const) {
      const closes = ts + this.reach(side)
      if (closes > this.w) this.known.push({ side, key, value, ts, closes, matched: true })
    }
  }

  time(w: number): void {
    if (w <= this.w) return
    const due = this.known.filter((one) => one.closes > this.w && one.closes <= w && !one.matched)
    due.sort((a, b) => a.closes - b.closes || a.ts - b.ts || compareKeys(a.key, b.key) || rank(a) - rank(b))
    for (const { side, key, value, ts } of due) if (this.keeps(side)) this.alone(side, key, value, ts)
    this.w = w
  }

  private partners(side: Side, key: string, ts: number): Known[] {
    const { before, after } = this.spec
    const found = this.known.filter((other) => {
      if (other.side === side || other.key !== key || other.closes <= this.w) return false
      const apart = side === 'left' ? other.ts - ts : ts - other.ts
      return -before <= apart && apart <= after
    })
    return found.sort((a, b) => a.ts - b.ts)
  }

  private reach(side: Side): number {
    return (side === 'left' ? this.spec.after : this.spec.before) + this.spec.grace
  }

  private keeps(side: Side): boolean {
    return side === 'left' ? this.spec.how !== 'inner' : this.spec.how === 'outer'
  }

  private pair(side: Side, key: string, value: string, ts: number, other: Known): void {
    const [left, right] = side === 'left' ? [value, other.value] : [other.value, value]
    this.out.push({ key, value: `${left}-${right}`, timestamp: Math.max(ts, other.ts) })
  }

  private alone(side: Side, key: string | null, value: string, ts: number): void {
    this.out.push({ key, value: side === 'left' ? `${value}-null` : `null-${value}`, timestamp: ts })
  }
}

const rank = ({ side }: Known): number => (side === 'left' ? 0 : 1)
