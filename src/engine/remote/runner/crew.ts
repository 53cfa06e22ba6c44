import type { Lease } from '../../../connectors/broker/lease.ts'
import type { Membership } from '../../../connectors/broker/remote.ts'
import type { EngineReport } from '../../app/engine.ts'
import { mergeErrors } from '../../metrics/index.ts'
import { taskName, taskOf } from '../group/assignor.ts'
import type { Offsets } from '../inputs.ts'
import type { Teller } from '../queries/watches.ts'
import type { Assignment, RunnerEvents, TaskRunner } from './task-runner.ts'

/** Makes the runners of an instance: one in this thread, or one a worker. */
export type HireRunner = {
  readonly count: number
  /** It runs in the thread of who hires it. */
  readonly here: boolean
  /** @param lease of the group's member */
  hire(number: number, events: RunnerEvents, lease: Lease): Promise<TaskRunner>
}

interface Place {
  readonly runner: TaskRunner
  tasks: readonly string[]
  /** Those that had ended when it said so; it may have others by now. */
  ended: readonly string[]
}

/** The runners of an instance, and who of them runs which task. */
export class Crew {
  private readonly places: Place[] = []

  static async hire(how: HireRunner, events: RunnerEvents, lease: Lease): Promise<Crew> {
    const crew = new Crew()
    const runners = await Promise.all(
      Array.from({ length: how.count }, (_, number) =>
        how.hire(
          number,
          {
            ...events,
            written: (written) => events.written(written, number),
            refused: (error) => {
              // nothing of its tasks is left there
              const place = crew.places[number]
              if (place !== undefined) place.tasks = []
              events.refused(error)
            },
            ended: (tasks) => {
              const place = crew.places[number]
              if (place !== undefined) place.ended = tasks.map(taskName)
              if (tasks.length > 0) events.ended(tasks)
            },
          },
          lease,
        ),
      ),
    )
    crew.places.push(...runners.map((runner) => ({ runner, tasks: [], ended: [] })))
    return crew
  }

  get tasks(): readonly string[] {
    return this.places.flatMap(({ tasks }) => tasks)
  }

  get ended(): boolean {
    return this.places.every(({ tasks, ended }) => tasks.every((task) => ended.includes(task)))
  }

  runnerOf(task: string): TaskRunner | undefined {
    return this.places.find(({ tasks }) => tasks.includes(task))?.runner
  }

  get tellers(): readonly Teller[] {
    return this.places.map(({ runner }) => runner)
  }

  /** Resolves when no commit of these tasks is under way any more that is now. */
  async settle(tasks: readonly string[]): Promise<void> {
    const busy = this.places.filter((place) => place.tasks.some((task) => tasks.includes(task)))
    await Promise.all(busy.map(({ runner }) => runner.settle()))
  }

  /** Before these tasks' state is read: nobody who had them in this instance writes any more. */
  async fence(_coming: readonly string[]): Promise<void> {
    await Promise.all(this.places.map(({ runner }) => runner.fence()))
  }

  /**
   * These tasks run from now on, and no others; each stays where it is, the rest goes to who has least.
   * @param all runners whose tasks are the same are told too
   */
  async assign(tasks: readonly string[], assignment: Omit<Assignment, 'tasks'>, all = false): Promise<void> {
    const plan = this.places.map((place) => place.tasks.filter((task) => tasks.includes(task)))
    const placed = new Set(plan.flat())
    for (const task of tasks) {
      if (placed.has(task)) continue
      const lengths = plan.map(({ length }) => length)
      ;(plan[lengths.indexOf(Math.min(...lengths))] as string[]).push(task)
    }
    await Promise.all(
      this.places.map(async (place, i) => {
        const own = plan[i] as string[]
        const same = own.length === place.tasks.length && own.every((task) => place.tasks.includes(task))
        if (same && !all) return
        // one that comes back has to be heard of again
        place.ended = place.ended.filter((task) => place.tasks.includes(task) && own.includes(task))
        const taken = await place.runner.assign({ ...assignment, tasks: own.map(taskOf) })
        place.tasks = taken ? own : []
      }),
    )
  }

  /**
   * Resolves when no commit is under way; a runner that is busy for longer than `most` ms is not waited for.
   *
   * @returns whether none is, and all that has left is committed
   */
  async hold(most: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), most)
    })
    const held = Promise.all(this.places.map(({ runner }) => runner.hold())).then((all) => all.every(Boolean))
    const whole = await Promise.race([held, late])
    clearTimeout(timer)
    return whole
  }

  /** No task is left here, and nothing of what was not committed. */
  async lose(): Promise<void> {
    await Promise.all(
      this.places.map(async (place) => {
        await place.runner.lose()
        place.tasks = []
        place.ended = []
      }),
    )
  }

  release(membership: Membership): void {
    for (const { runner } of this.places) runner.release(membership)
  }

  bound(ends: Offsets): void {
    for (const { runner } of this.places) runner.bound(ends)
  }

  fill(topics: readonly string[]): void {
    for (const { runner } of this.places) runner.fill(topics)
  }

  positionOf(topic: string, partition: number): number | undefined {
    for (const { runner } of this.places) {
      const found = runner.positionOf(topic, partition)
      if (found !== undefined) return found
    }
    return undefined
  }

  report(): EngineReport {
    const reports = this.places.map(({ runner }) => runner.report())
    const counters = new Map<string, number>()
    for (const one of reports) for (const [name, n] of one.counters) counters.set(name, (counters.get(name) ?? 0) + n)
    const sum = (of: (one: EngineReport) => number): number => reports.reduce((total, one) => total + of(one), 0)
    return {
      recordsIn: sum((one) => one.recordsIn),
      recordsOut: sum((one) => one.recordsOut),
      counters,
      epochs: Math.max(...reports.map((one) => one.epochs)),
      watermark: Math.min(...reports.map((one) => one.watermark)),
      // a thread tells with its commits: one whose tasks have gone tells nothing any more
      tasks: this.places.flatMap(({ tasks: here }, i) =>
        (reports[i]?.tasks ?? []).filter(({ sub, partition }) => here.includes(taskName({ sub, partition }))),
      ),
      errors: mergeErrors(reports.map(({ errors = [] }) => errors)),
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.places.map(({ runner }) => runner.stop()))
  }

  async abandon(): Promise<void> {
    await Promise.all(this.places.map(({ runner }) => runner.abandon()))
  }
}
