import { Lease } from '../../connectors/broker/lease.ts'
import { DhaaraError } from '../../errors/index.ts'
import type { Engine, EngineMeters, EngineReport } from '../app/engine.ts'
import type { AskOwner } from '../query/index.ts'
import { AppliedOnLog } from './queries/applied.ts'
import { taskName, taskOf } from './group/assignor.ts'
import type { EngineParts, Share } from './engine-parts.ts'
import type { Savepoint } from '../app/state/savepoint.ts'
import type { HostTasks } from './group/told.ts'
import { Rounds } from './rounds.ts'
import { savepointOfRunning } from './savepoint/index.ts'
import { makeShare } from './share.ts'
import type { RunnerEvents } from './runner/task-runner.ts'
import { TopicWatch } from './topics/topic-watch.ts'
import { Watches } from './queries/watches.ts'

/** Longest time that an instance that has failed takes to leave, ms. */
const longestEnd = 3000

/** What runs, from the first round on. */
interface Work extends Share {
  readonly rounds: Rounds
  readonly topicWatch: TopicWatch
}

/**
 * This instance's share of an app's tasks. Instances share the tasks by way of a group; the client and this engine live apart
 * from what runs the tasks, so that a function that takes its time loses nothing.
 *
 *     rounds until all is placed ─▶ run all ─▶ …
 *       ▲                              │
 *       └──────────────────────────────┴── others came or went; a commit was refused
 *
 * Tasks that stay here run on during all of it.
 */
export class RemoteEngine implements Engine {
  private readonly parts: EngineParts
  private share: Share | undefined
  private rounds: Rounds | undefined
  private topicWatch: TopicWatch | undefined
  private rung = (): void => {}
  private stopping = false
  private failure: unknown = undefined
  private following: Promise<void> = Promise.resolve()
  private readonly lease = new Lease()
  readonly applied: AppliedOnLog
  readonly watches = new Watches(() => this.share?.crew.tellers ?? [])

  constructor(parts: EngineParts) {
    this.parts = parts
    const { plan, settings, log } = parts
    const partitionsOf = (topic: string): number => this.share?.inputs.partitionsOf(topic) ?? 0
    this.applied = new AppliedOnLog(settings.applicationId, plan, log, partitionsOf)
  }

  async start(): Promise<void> {
    const { parts } = this
    const share = await makeShare(parts, {
      runners: this.runnerEvents(),
      lease: this.lease,
      warm: () => this.rounds?.move(),
      news: () => this.rounds?.news ?? 0,
      known: () => this.rounds?.known,
      held: () => this.rounds?.held ?? false,
      wantsCut: () => this.rounds?.wantsCut ?? false,
    })
    const ring = (): void => this.rung()
    const failed = (error: unknown): void => this.fail(error)
    this.share = share
    this.rounds = new Rounds(parts, share, {
      ring,
      failed,
      moved: () => this.tellWatches(),
      placed: () => this.endIfDue(),
    })
    this.topicWatch = new TopicWatch(parts, share, { ring, failed, grown: () => this.rounds?.tell() })
    try {
      await this.rounds.settle()
      await this.topicWatch.look()
      if (this.rounds.moved) await this.rounds.settle()
    } catch (error) {
      await this.abandon()
      throw error
    }
    // whoever waits for the start is told first
    const told = new Promise<void>((resolve) => setImmediate(resolve))
    this.following = told.then(() => this.follow()).catch(failed)
  }

  async stop(): Promise<void> {
    this.end()
    this.watches.end()
    await this.following
    const { share } = this
    await share?.standbys.close()
    await share?.crew.stop()
    await share?.member.leave()
    if (this.failure !== undefined) throw this.failure
  }

  endInputs(topics?: readonly string[]): void {
    this.share?.ends.bound(topics)
    this.bound().catch((error: unknown) => this.fail(error))
  }

  fillInputs(topics: readonly string[]): void {
    this.share?.crew.fill(topics)
  }

  /** Of all tasks, wherever they run. @throws DhaaraError DHAARA_SAVEPOINT */
  savepoint(folder: string): Promise<Savepoint> {
    const { rounds, inputs } = this.work()
    const { plan, settings, log } = this.parts
    const { applicationId: app, logger } = settings
    return savepointOfRunning(
      { log, app, plan, logger },
      inputs.topics,
      () => rounds.cut(),
      folder,
      settings.clock.now(),
    )
  }

  positionOf(topic: string, partition: number): number | undefined {
    return this.share?.crew.positionOf(topic, partition)
  }

  get partitions(): readonly number[] {
    return this.share?.inputs.topics.partitions ?? []
  }

  get hosts(): readonly HostTasks[] {
    return this.rounds?.hosts ?? []
  }

  /** Those of a sub-topology that are this instance's. */
  partitionsHere(sub: number): number[] {
    return this.running.flatMap((task) => (taskOf(task).sub === sub ? [taskOf(task).partition] : []))
  }

  /** Who has which tasks, as the group has told it last. */
  get view(): { readonly generation: number; readonly hosts: readonly HostTasks[] } {
    return { generation: this.share?.member.membership.generation ?? -1, hosts: this.hosts }
  }

  /** @throws DhaaraError DHAARA_MOVED: another instance may have one of these tasks now */
  checkHere(sub: number, partitions: readonly number[]): void {
    const { running } = this
    const gone = partitions.filter((partition) => !running.includes(taskName({ sub, partition })))
    if (gone.length > 0)
      throw new DhaaraError('DHAARA_MOVED', `partitions ${gone.join(', ')} are not with this instance now; ask again`)
    if (this.lease.holds) return
    throw new DhaaraError(
      'DHAARA_MOVED',
      'this instance has not heard of its group for a while, and others may have its tasks; ask again',
    )
  }

  /** Resolves when no commit of these tasks is under way any more that is now. */
  async settled(sub: number, partitions: readonly number[]): Promise<void> {
    await this.share?.crew.settle(partitions.map((partition) => taskName({ sub, partition })))
  }

  readonly ask: AskOwner = (layout, partition, query) => {
    const runner = this.share?.crew.runnerOf(taskName({ sub: layout.sub, partition }))
    if (runner === undefined) throw new DhaaraError('DHAARA_RESTORING', 'the tasks are not ready; ask again')
    return runner.ask(layout.sub, partition, layout.name, query)
  }

  readonly meters: EngineMeters = {
    tasks: () => this.report().tasks ?? [],
    errors: () => this.report().errors ?? [],
  }

  report(): EngineReport {
    const { share } = this
    if (share === undefined)
      return { recordsIn: 0, recordsOut: 0, counters: new Map(), epochs: 0, watermark: Number.NEGATIVE_INFINITY }
    const { standbys } = share
    const report = share.crew.report()
    if (standbys.count === 0) return report
    const counters = new Map(report.counters)
    counters.set('standby.tasks', standbys.count)
    counters.set('standby.lag', standbys.lag)
    counters.set('standby.records', standbys.records)
    return { ...report, counters }
  }

  private get running(): readonly string[] {
    return this.share?.crew.tasks ?? []
  }

  private runnerEvents(): RunnerEvents {
    return {
      checkpoint: (event) => this.parts.events.checkpoint(event),
      written: (written, runner = 0) => this.watches.written(runner, written),
      refused: () => {
        this.tellWatches()
        this.rounds?.move()
      },
      failed: (error) => this.fail(error),
      ended: () => this.endIfDue(),
    }
  }

  /** Joins whenever the group changes, until the end. */
  private async follow(): Promise<void> {
    const { rounds, topicWatch } = this.work()
    while (!this.stopping) {
      await new Promise<void>((resolve) => {
        this.rung = resolve
        if (rounds.moved || this.stopping || topicWatch.news) resolve()
      })
      if (this.stopping) return
      await topicWatch.read()
      if (!rounds.moved) continue
      this.parts.events.rebalancing?.()
      await rounds.settle()
      if (!this.stopping) this.parts.events.running?.()
    }
  }

  /** Tasks may have left. */
  private tellWatches(): void {
    const { running } = this
    this.watches.moved((sub, partition) => running.includes(taskName({ sub, partition })))
  }

  private async bound(): Promise<void> {
    const { crew, ends, inputs } = this.work()
    crew.bound(await ends.find(inputs.ofAll(this.running.map(taskOf))))
    this.endIfDue()
  }

  private endIfDue(): void {
    const { crew, ends, rounds } = this.work()
    // who ends leaves its tasks to the others, who do the rest: so none may be on its way
    if (this.stopping || !rounds.still) return
    if (crew.ended && (this.running.length > 0 || ends.all)) this.parts.events.ended()
  }

  private fail(error: unknown): void {
    if (this.failure !== undefined) return
    this.failure = error
    this.end()
    this.watches.end(error)
    void this.abandon().finally(() => this.parts.events.failed(error))
  }

  /** No more rounds are begun. */
  private end(): void {
    this.stopping = true
    this.topicWatch?.stop()
    this.rounds?.stop()
    this.rung()
  }

  /** The tasks stop, and go to other instances at once. */
  private async abandon(): Promise<void> {
    const over = new Promise<void>((resolve) => setTimeout(resolve, longestEnd).unref())
    const { share } = this
    const stopped = Promise.allSettled([share?.crew.abandon(), share?.standbys.close()])
    await Promise.race([stopped.then(() => share?.member.leave().catch(() => {})), over])
  }

  private work(): Work {
    const { share, rounds, topicWatch } = this
    if (share === undefined || rounds === undefined || topicWatch === undefined)
      throw new DhaaraError('DHAARA_INTERNAL', 'the tasks are not there yet')
    return { ...share, rounds, topicWatch }
  }
}
