import type { BackendReader } from '../../../state/backend.ts'
import type { Sealer } from '../../../state/stores/index.ts'
import type { Settings } from '../../app/settings/options.ts'
import { Deliveries } from '../../connect/deliveries.ts'
import { Left } from '../../connect/lane.ts'
import type { PhysicalPlan } from '../../plan/physical.ts'
import type { TaskId } from '../../runtime/host.ts'

/** A row that is to go with the next epoch, and others that go away. */
interface Settling {
  readonly key: Uint8Array
  readonly value: Uint8Array
  readonly gone: readonly Uint8Array[]
  readonly done: PromiseWithResolvers<void>
}

export interface SinksHost {
  readonly plan: PhysicalPlan
  readonly settings: Settings
  readonly reader: BackendReader
  /** No other instance can have the tasks now, as far as time tells. */
  holds(): boolean
  wake(): void
  /** A sink is given up: so is the app. */
  failed(error: unknown): void
}

/** Longest time that sinks may take for what was committed, when the app ends, ms. */
const patience = 5000

/**
 * Sinks of the user's own behind the tasks of a runner. What a sink has is a row of the state like others: it goes with the next
 * epoch, so that whoever gets the task knows, and one that has lost its tasks can say nothing more.
 */
export class Sinks {
  private readonly host: SinksHost
  private deliveries: Deliveries | undefined
  private settling: Settling[] = []
  private sealed: Settling[] = []

  constructor(host: SinksHost) {
    this.host = host
  }

  /** The sinks of these tasks, from what is on record. */
  begin(tasks: readonly TaskId[], counts: readonly number[], storeId: (name: string, sub: number) => number): void {
    const { plan, settings, reader } = this.host
    if (tasks.length === 0 || !plan.steps.some(({ op }) => op.kind === 'deliver')) return
    this.deliveries = new Deliveries(plan, {
      reader,
      settings,
      storeId,
      partitions: (sub) => tasks.flatMap((task) => (task.sub === sub ? [task.partition] : [])),
      count: (sub) => counts[sub] as number,
      settle: (key, value, gone) => {
        const done = Promise.withResolvers<void>()
        this.settling.push({ key, value, gone, done })
        this.host.wake()
        return done.promise
      },
      holds: () => this.host.holds(),
      wake: () => this.host.wake(),
      failed: (error) => this.host.failed(error),
    })
    this.deliveries.start()
  }

  /** Something is to go with the next epoch. */
  get waiting(): boolean {
    return this.settling.length > 0
  }

  get full(): boolean {
    return this.deliveries?.full === true
  }

  get idle(): boolean {
    return this.deliveries?.idle !== false
  }

  seal(sealer: Sealer): void {
    for (const one of this.settling) {
      for (const key of one.gone) sealer.delete(key)
      sealer.put(one.key, one.value)
    }
    this.sealed = this.settling
    this.settling = []
  }

  /** What was sealed is on record. */
  committed(): void {
    for (const { done } of this.sealed) done.resolve()
    this.sealed = []
    this.deliveries?.committed()
  }

  /** What was sealed is not on record, or nobody knows. */
  refused(): void {
    for (const { done } of [...this.sealed, ...this.settling]) done.reject(new Left())
    this.sealed = []
    this.settling = []
  }

  /** Each ends the epoch that it is in, and lets go; epochs must go on being committed. @param all what was committed, too */
  async leave(all: boolean): Promise<void> {
    const { deliveries } = this
    await (all ? deliveries?.stop(patience) : deliveries?.leave())
    if (this.deliveries === deliveries) this.deliveries = undefined
  }

  /** Nothing more is begun, and nothing will be on record. */
  async end(): Promise<void> {
    const { deliveries } = this
    this.deliveries = undefined
    this.refused()
    await deliveries?.end()
  }
}
