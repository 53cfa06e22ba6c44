import type { BreakerSpec } from '../../../dsl/plan/index.ts'

interface Outcome {
  readonly at: number
  readonly failed: boolean
}

/**
 * Keeps calls away from a service that fails.
 *
 *              failures >= n, and their share >= s, within `over`
 *     closed ─────────────────────────────────────────────────────▶ open
 *       ▲                                                          ▲  │ after `openFor`
 *       │ the one call succeeds              the one call fails    │  ▼
 *       └───────────────────────────────────────────────────── half-open
 */
export class CircuitBreaker {
  state: 'closed' | 'open' | 'half-open' = 'closed'
  /** When an open one lets a call through again. */
  until = Number.POSITIVE_INFINITY
  private readonly spec: BreakerSpec
  private outcomes: Outcome[] = []
  private failures = 0
  private trying = false

  constructor(spec: BreakerSpec) {
    this.spec = spec
  }

  /** May a call be made? In the half-open state one at a time may. */
  allows(now: number): boolean {
    if (this.state === 'closed') return true
    if (this.state === 'open') {
      if (now < this.until) return false
      this.state = 'half-open'
    }
    return !this.trying
  }

  /** A call that was allowed is made. */
  called(): void {
    if (this.state === 'half-open') this.trying = true
  }

  succeeded(now: number): void {
    if (this.state === 'half-open') this.reset()
    else if (this.state === 'closed') this.note(now, false)
  }

  failed(now: number): void {
    if (this.state === 'half-open') this.open(now)
    if (this.state !== 'closed') return
    this.note(now, true)
    const { failures, share } = this.spec
    if (this.failures >= failures && this.failures / this.outcomes.length >= share) this.open(now)
  }

  private open(now: number): void {
    this.reset()
    this.state = 'open'
    this.until = now + this.spec.openFor
  }

  private reset(): void {
    this.state = 'closed'
    this.until = Number.POSITIVE_INFINITY
    this.trying = false
    this.outcomes = []
    this.failures = 0
  }

  private note(at: number, failed: boolean): void {
    const { outcomes } = this
    outcomes.push({ at, failed })
    if (failed) this.failures++
    let old = 0
    while (old < outcomes.length && (outcomes[old] as Outcome).at <= at - this.spec.over) {
      if ((outcomes[old++] as Outcome).failed) this.failures--
    }
    if (old > 0) outcomes.splice(0, old)
  }
}
