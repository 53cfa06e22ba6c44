/** Time that clock readings themselves take, ms: taken off what they measure. */
const perReading = calibrate()

/** What a reading costs in all, ms: the clock, and code that is run too seldom to be made fast. */
const perStep = perReading + 0.0001
/** A slice is timed step by step when so many times the cost of that has been spent: at most one part in 257 goes into it. */
const spacing = 256
/** Slices of fewer records are too short for two clock readings each: one in eight is timed. */
const short = 32

/**
 * What the steps of one task do: how many records pass, and where the time goes.
 *
 * Records are counted where they pass. Time is sampled: each slice of records is timed as a whole, and now and then a slice runs
 * through a second copy of the generated code, which reads the clock between steps. What the slices since then have taken is
 * split between the steps as that one was; what is looked at before the next one, as the last one was. So the cost is bounded
 * whatever the steps do, and a slow one shows within a second.
 */
export class TaskMeter {
  /** When it began to count, epoch ms. */
  readonly since = performance.timeOrigin + performance.now()
  /** By step id: records that came out of it, where that is not simply what went in. */
  readonly counts: Float64Array
  /** By step id: records that came in from outside the task. */
  readonly came: Float64Array
  /** By step id: milliseconds. */
  readonly busy: Float64Array
  /** The running slice is timed step by step. */
  on = false
  /** The step that time goes to. */
  cur = 0
  /** Held up by tasks that take no more, ms. */
  blockedMs = 0
  /** Held up by an input that may still bring something older, ms. */
  waitingMs = 0
  private readonly split: Float64Array
  private readonly inputs: readonly (InputMeter | undefined)[]
  private last = 0
  private readings = 0
  private stalled: 'blocked' | 'waiting' | undefined
  private stalledSince = 0

  /** @param steps how many the plan has @param inputs ids of the steps where records come in */
  constructor(steps: number, inputs: readonly number[]) {
    this.counts = new Float64Array(steps)
    this.came = new Float64Array(steps)
    this.busy = new Float64Array(steps)
    this.split = new Float64Array(steps)
    const meters = new Array<InputMeter | undefined>(steps).fill(undefined)
    for (const id of inputs) meters[id] = { skip: 0, untimed: 0, unsplit: 0, owed: 0, shares: undefined }
    this.inputs = meters
  }

  /** Generated code: what follows is the work of this step. */
  to(step: number): void {
    const now = performance.now()
    ;(this.split[this.cur] as number) += now - this.last
    this.readings++
    this.last = now
    this.cur = step
  }

  /** Before a slice of this input. Returns whether it is timed. */
  begin(input: number): boolean {
    const meter = this.inputs[input] as InputMeter
    if (meter.skip > 0) {
      meter.skip--
      return false
    }
    this.on = meter.owed <= 0
    this.cur = input
    this.readings = 0
    this.last = performance.now()
    return true
  }

  /** After it. @param timed what `begin` said @param records that it had */
  end(input: number, timed: boolean, records: number): void {
    const meter = this.inputs[input] as InputMeter
    ;(this.came[input] as number) += records
    if (!timed) {
      meter.untimed += records
      return
    }
    const began = this.last
    const now = performance.now()
    if (!this.on) {
      const spent = ((now - began) * (records + meter.untimed)) / records
      meter.unsplit += spent
      meter.owed -= spent
      meter.untimed = 0
      meter.skip = records < short ? 7 : 0
      return
    }
    this.on = false
    ;(this.split[this.cur] as number) += now - began
    this.distribute(meter, records)
  }

  /** Of work outside the slices, such as decoding what an input has fetched. */
  add(step: number, ms: number): void {
    ;(this.busy[step] as number) += ms
  }

  /** A slice could not begin, or could: the time between is blocked or waited. */
  stall(why: 'blocked' | 'waiting' | undefined): void {
    if (why === this.stalled) return
    const now = performance.now()
    if (this.stalled === 'blocked') this.blockedMs += now - this.stalledSince
    else if (this.stalled === 'waiting') this.waitingMs += now - this.stalledSince
    this.stalled = why
    this.stalledSince = now
  }

  /** Before it is looked at: brings a stall that goes on up to now, and splits what was spent as the last sample was. */
  refresh(): void {
    const { stalled, busy } = this
    for (const meter of this.inputs) {
      if (meter?.shares === undefined || meter.unsplit === 0) continue
      const { shares, unsplit } = meter
      for (let i = 0; i < shares.length; i++) (busy[i] as number) += unsplit * (shares[i] as number)
      meter.unsplit = 0
    }
    this.stall(undefined)
    this.stall(stalled)
  }

  /** Splits what was spent since the last time as this slice was. */
  private distribute(meter: InputMeter, records: number): void {
    const { split, busy } = this
    let whole = 0
    for (const ms of split) whole += ms
    const net = Math.max(whole - this.readings * perReading, whole / 10)
    const spent = meter.unsplit + (net * (records + meter.untimed)) / records
    meter.shares ??= new Float64Array(split.length)
    const { shares } = meter
    // too short for the clock
    for (let i = 0; whole > 0 && i < split.length; i++) {
      const share = (split[i] as number) / whole
      shares[i] = share
      if (share > 0) (busy[i] as number) += spent * share
    }
    split.fill(0)
    meter.owed = this.readings * perStep * spacing
    meter.unsplit = 0
    meter.untimed = 0
    meter.skip = 0
  }
}

/** Of one input: slices to leave out, records and milliseconds since the last, time until the next split, and how the last was. */
interface InputMeter {
  skip: number
  untimed: number
  unsplit: number
  owed: number
  shares: Float64Array | undefined
}

function calibrate(): number {
  const rounds = 2000
  for (let i = 0; i < rounds; i++) performance.now()
  const began = performance.now()
  for (let i = 0; i < rounds; i++) performance.now()
  return (performance.now() - began) / rounds
}
