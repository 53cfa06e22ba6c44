import { processor } from './functions.ts'
import { type Emit, type Headers, type Item, type Key, noHeaders, type Row, Rows, type Stateful } from './steps.ts'

interface Timer {
  readonly key: string
  readonly at: number
  readonly name: string | undefined
  readonly seq: number
}

/** A user's processor with a counter a key, and timers that are looked through one by one. */
export class Processing implements Stateful {
  private readonly counts = new Rows()
  private timers: Timer[] = []
  private seq = 0
  private readonly user: ReturnType<typeof processor>
  private readonly out: Emit
  private at: { ts: number; headers: Headers } = { ts: 0, headers: noHeaders }

  constructor(delay: number, valuesOnly: boolean, out: Emit) {
    this.out = out
    this.user = processor(delay, valuesOnly, {
      count: (key) => this.counts.get(key)?.value as number | undefined,
      setCount: (key, n) => this.counts.set(key, n, 0),
      setTimer: (key, at, name) => {
        this.drop(key, name)
        this.timers.push({ key, at, name, seq: this.seq++ })
      },
      dropTimer: (key, name) => this.drop(key, name),
      forward: (value, key, opts) =>
        this.out({ key, value, ts: opts?.timestamp ?? this.at.ts, headers: opts?.headers ?? this.at.headers }),
    })
  }

  take({ key, value, ts, headers }: Item): void {
    this.at = { ts, headers }
    this.user.process(value, (key ?? null) as string | null, ts)
  }

  due(): number {
    return Math.min(...this.timers.map(({ at }) => at))
  }

  fire(): void {
    const [first] = this.timers.toSorted((a, b) => a.at - b.at || compare(a.key, b.key) || a.seq - b.seq)
    if (first === undefined) return
    this.drop(first.key, first.name)
    this.at = { ts: first.at, headers: noHeaders }
    this.user.onTimer(first.key, first.at, first.name)
  }

  row(key: Key): Row | undefined {
    return this.counts.get(key)
  }

  rows(): Row[] {
    return this.counts.all()
  }

  private drop(key: string, name: string | undefined): void {
    this.timers = this.timers.filter((timer) => timer.key !== key || timer.name !== name)
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
