import { Lease } from '../../connectors/broker/lease.ts'
import type { RemoteLog, RemoteMember } from '../../connectors/broker/remote.ts'
import { DhaaraError } from '../../errors/index.ts'
import type { Engine, EngineEvents, EngineMeters, EngineReport } from '../app/engine.ts'
import type { StoreIds } from '../app/identity.ts'
import type { Settings } from '../app/options.ts'
import type { PhysicalPlan } from '../plan/physical.ts'
import type { AskOwner } from '../query/index.ts'
import { AppliedOnLog } from './applied.ts'
import { isLeft, refuseRows } from '../connect/refuse.ts'
import type { TaskId } from '../runtime/host.ts'
import { statePrefix } from '../../state/stores/index.ts'
import { taskName, taskOf } from './assignor.ts'
import { endAbandoned } from './abandoned.ts'
import { ChangelogRows } from './changelog.ts'
import { Crew, type HireRunner } from './crew.ts'
import { Inputs, type Offsets } from './inputs.ts'
import type { LocalState } from './local-state.ts'
import { decodeTold, encodeMember, type HostTasks, type Told, tellAll } from './membership.ts'
import { mayPass } from './passing.ts'
import { Ends, findPositions, newPositions, type Positions } from './positions.ts'
import { restore, type RestoreProgress } from './restore.ts'
import { Standbys } from './standbys.ts'
import { prepareTopics } from './topics.ts'
import { newsOf } from './watch-topics.ts'
import { Watches } from './watches.ts'

export interface RemoteEvents extends EngineEvents {
  restore(progress: RestoreProgress): void
}

/** What is begun anew after failures that may pass is given up when it has not gone well for so long, ms. */
const patience = 10 * 60_000
/** Others wait for this instance's commits no longer than this when all join again, ms. */
const longestHold = 2000
/** Between two looks whether topics have come, ms. */
const topicsEvery = 5000
/** An instance tells the group so often where it is, should the group not take notice. */
const mostRetold = 3
/** Longest time that an instance that has failed takes to leave, ms. */
const longestEnd = 3000

/**
 * This instance's share of an app's tasks. Instances share the tasks by way of a group; the client and this engine live apart
 * from what runs the tasks, so that a function that takes its time loses nothing.
 *
 *     join ─▶ let go of what others get ─▶ fence, restore what is new ─▶ run all ─▶ …
 *       ▲                 │ (join again)                 │ (join again)        │
 *       └─────────────────┴──────────────────────────────┴── others came or went; a commit was refused
 *
 * Tasks that stay here run on during all of it.
 */
export class RemoteEngine implements Engine {
  private readonly plan: PhysicalPlan
  private readonly settings: Settings
  private readonly log: RemoteLog
  private readonly local: LocalState
  private readonly ids: StoreIds
  private readonly events: RemoteEvents
  private readonly hire: HireRunner
  /** What waits for sinks that are gone goes, too. */
  private readonly dropLeft: boolean
  private member: RemoteMember | undefined
  private inputs: Inputs | undefined
  private rows: ChangelogRows | undefined
  private ends: Ends | undefined
  private crew: Crew | undefined
  private standbys: Standbys | undefined
  /** The group is to be joined again. */
  private moved = false
  /** No task is on its way from one instance to another, as far as is known. */
  private allPlaced = false
  private rung = (): void => {}
  private changing = new AbortController()
  private stopping = false
  private failure: unknown = undefined
  private following: Promise<void> = Promise.resolve()
  /** Of topics that have come, not read yet. */
  private news: Inputs | undefined
  private watch: NodeJS.Timeout | undefined
  private readonly left = new Set<string>()
  private readonly lease = new Lease()
  readonly applied: AppliedOnLog
  readonly watches = new Watches(() => this.crew?.tellers ?? [])
  private readonly at: string | undefined
  hosts: readonly HostTasks[] = []
  /** How often the group was joined so that it tells the others where this instance is now. */
  private retold = 0

  /** @param at URL where other instances can ask this one for rows */
  constructor(
    plan: PhysicalPlan,
    settings: Settings,
    log: RemoteLog,
    local: LocalState,
    ids: StoreIds,
    hire: HireRunner,
    events: RemoteEvents,
    at: string | undefined,
    dropLeft = false,
  ) {
    this.dropLeft = dropLeft
    this.at = at
    this.ids = ids
    this.plan = plan
    this.settings = settings
    this.log = log
    this.local = local
    this.hire = hire
    this.events = events
    this.applied = new AppliedOnLog(settings.applicationId, plan, log, (topic) => this.inputs?.partitionsOf(topic) ?? 0)
  }

  async start(): Promise<void> {
    const { plan, settings, log, local } = this
    const app = settings.applicationId
    const topics = await prepareTopics(log, plan, settings, settings.logger)
    const inputs = new Inputs(app, plan, topics)
    const rows = new ChangelogRows(topics.changelogs, this.ids)
    this.inputs = inputs
    this.rows = rows
    this.ends = new Ends(log, inputs)
    this.standbys = new Standbys(
      log,
      local,
      rows,
      topics,
      () => this.ids.all().keys(),
      settings.logger,
      () => this.move(),
    )
    this.crew = await Crew.hire(this.hire, {
      checkpoint: (event) => this.events.checkpoint(event),
      written: (written, runner = 0) => this.watches.written(runner, written),
      refused: () => {
        this.tellWatches()
        this.move()
      },
      failed: (error) => this.fail(error),
      ended: () => this.endIfDue(),
    })
    const stateful = new Set(topics.changelogs.flatMap(({ sub, store }) => (store === undefined ? [] : [sub])))
    this.member = log.member({
      group: app,
      topics: inputs.subscribed,
      ...(settings.instanceId === undefined ? {} : { instance: settings.instanceId }),
      lease: this.lease.memory,
      userData: () => {
        const { running, at, local } = this
        const state = { running, local: this.localTasks(), instance: local.instance }
        return encodeMember({ ...state, ...(at === undefined ? {} : { at }) }, this.retold)
      },
      assign: async (members) =>
        tellAll(
          members,
          this.known().inputs.tasks,
          (tasks) => this.known().inputs.ofAll(tasks),
          settings.standbys,
          (task) => stateful.has(taskOf(task).sub),
        ),
    })
    try {
      await this.settle()
    } catch (error) {
      await this.abandon()
      throw error
    }
    this.following = this.follow().catch((error: unknown) => this.fail(error))
    this.watch = setTimeout(() => void this.lookForTopics(), topicsEvery).unref()
  }

  async stop(): Promise<void> {
    this.stopping = true
    clearTimeout(this.watch)
    this.changing.abort()
    this.rung()
    this.watches.end()
    await this.following
    await this.standbys?.close()
    await this.crew?.stop()
    await this.member?.leave()
    if (this.failure !== undefined) throw this.failure
  }

  endInputs(topics?: readonly string[]): void {
    this.ends?.bound(topics)
    this.bound().catch((error: unknown) => this.fail(error))
  }

  fillInputs(topics: readonly string[]): void {
    this.crew?.fill(topics)
  }

  positionOf(topic: string, partition: number): number | undefined {
    return this.crew?.positionOf(topic, partition)
  }

  get partitions(): readonly number[] {
    return this.inputs?.topics.partitions ?? []
  }

  /** Those of a sub-topology that are this instance's. */
  partitionsHere(sub: number): number[] {
    return this.running.flatMap((task) => (taskOf(task).sub === sub ? [taskOf(task).partition] : []))
  }

  /** Who has which tasks, as the group has told it last. */
  get view(): { readonly generation: number; readonly hosts: readonly HostTasks[] } {
    return { generation: this.member?.membership.generation ?? -1, hosts: this.hosts }
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
    await this.crew?.settle(partitions.map((partition) => taskName({ sub, partition })))
  }

  readonly ask: AskOwner = (layout, partition, query) => {
    const runner = this.crew?.runnerOf(taskName({ sub: layout.sub, partition }))
    if (runner === undefined) throw new DhaaraError('DHAARA_RESTORING', 'the tasks are not ready; ask again')
    return runner.ask(layout.sub, partition, layout.name, query)
  }

  readonly meters: EngineMeters = {
    tasks: () => this.report().tasks ?? [],
    errors: () => this.report().errors ?? [],
  }

  report(): EngineReport {
    const { crew, standbys } = this
    if (crew === undefined)
      return { recordsIn: 0, recordsOut: 0, counters: new Map(), epochs: 0, watermark: Number.NEGATIVE_INFINITY }
    const report = crew.report()
    if (standbys === undefined || standbys.count === 0) return report
    const counters = new Map(report.counters)
    counters.set('standby.tasks', standbys.count)
    counters.set('standby.lag', standbys.lag)
    counters.set('standby.records', standbys.records)
    return { ...report, counters }
  }

  private get running(): readonly string[] {
    return this.crew?.tasks ?? []
  }

  /** Joins whenever the group changes, until the end. */
  private async follow(): Promise<void> {
    while (!this.stopping) {
      await new Promise<void>((resolve) => {
        this.rung = resolve
        if (this.moved || this.stopping || this.news !== undefined) resolve()
      })
      if (this.stopping) return
      await this.readNews()
      if (!this.moved) continue
      this.events.rebalancing?.()
      await this.settle()
      if (!this.stopping) this.events.running?.()
    }
  }

  private async lookForTopics(): Promise<void> {
    const { inputs, ends } = this.known()
    // what is to end takes up nothing new
    if (ends.all || this.stopping) return
    try {
      const topics = await this.log.topics()
      const news = newsOf(this.settings.applicationId, this.plan, inputs, topics)
      for (const topic of news.left) {
        if (this.left.has(topic)) continue
        this.left.add(topic)
        this.settings.logger.warn({ topic }, 'a new topic has more partitions than there are tasks: it is not read')
      }
      this.news = news.inputs
      if (this.news !== undefined) this.rung()
    } catch (error) {
      // what cannot be asked now is asked later
      if (!mayPass(error)) this.fail(error)
    }
    if (!this.stopping) this.watch = setTimeout(() => void this.lookForTopics(), topicsEvery).unref()
  }

  /** Tasks read what has come. */
  private async readNews(): Promise<void> {
    const { news } = this
    this.news = undefined
    if (news === undefined) return
    const { crew, member, inputs: before, ends } = this.known()
    const tasks = this.running.map(taskOf)
    const app = this.settings.applicationId
    this.settings.logger.info(
      { topics: news.subscribed.filter((one) => !before.subscribed.includes(one)) },
      'new inputs',
    )
    let found: readonly [Positions, Offsets]
    try {
      found = [await newPositions(this.log, app, before, news, tasks), await ends.find(news.ofAll(tasks))]
    } catch (error) {
      // the next look finds them again
      if (mayPass(error)) return
      throw error
    }
    const [positions, bounds] = found
    this.inputs = news
    ends.inputs = news
    const assignment = { ...this.assignment(), positions, ends: bounds, membership: member.membership }
    await crew.assign(this.running, assignment, true)
  }

  /** Joins until there is nothing more to be done for it. What fails and may pass is tried again. */
  private async settle(): Promise<void> {
    const until = performance.now() + patience
    for (let pause = 100; ; pause = Math.min(5000, pause * 2)) {
      try {
        do {
          this.moved = false
          await this.round()
        } while (this.moved && !this.stopping)
        return
      } catch (error) {
        if (this.stopping) return
        if (!mayPass(error) || performance.now() > until) throw error
        this.settings.logger.warn({ error: error.message, code: error.code }, 'joining the group is tried again')
        await new Promise((resolve) => setTimeout(resolve, pause))
      }
    }
  }

  private async round(): Promise<void> {
    const { member, crew, standbys } = this.known()
    const { signal } = (this.changing = new AbortController())
    this.allPlaced = false
    await crew.hold(longestHold)
    const told = decodeTold(await this.join())
    this.hosts = told.hosts ?? []
    member.rebalance.then(
      () => this.move(),
      (error: unknown) => this.fail(error),
    )
    if (await this.letGo(told)) {
      this.moved = true
      return
    }
    const coming = told.tasks.filter((task) => !this.running.includes(task))
    standbys.pause(coming)
    if (coming.length > 0 && !(await this.takeOn(coming, signal))) return
    await standbys.keep(
      told.standbys.filter((task) => !this.running.includes(task)),
      told.warming,
    )
    this.allPlaced = told.settled
    this.tellWhere()
    this.endIfDue()
  }

  /** One that keeps its place over a restart is not told of anew, though it may be elsewhere now. */
  private tellWhere(): void {
    const own = this.hosts.find(({ instance }) => instance === this.local.instance)
    if (this.hosts.length === 0 || own?.at === this.at || this.retold >= mostRetold) return
    this.retold++
    this.moved = true
  }

  private async join(): Promise<Buffer> {
    const { member, crew } = this.known()
    try {
      return await member.join()
    } catch (error) {
      // Others may have committed what is worked on here, and more.
      if (error instanceof DhaaraError && error.code === 'DHAARA_KAFKA_FENCED')
        await crew.lose().then(() => this.tellWatches())
      throw error
    } finally {
      crew.release(member.membership)
    }
  }

  /** @returns whether there was anything that others wait for */
  private async letGo({ tasks }: Told): Promise<boolean> {
    const { crew, member } = this.known()
    const leaving = this.running.filter((task) => !tasks.includes(task))
    if (leaving.length === 0) return false
    this.settings.logger.info({ leaving }, 'tasks leave this instance')
    await crew.assign(
      this.running.filter((task) => tasks.includes(task)),
      { ...this.assignment(), membership: member.membership },
    )
    this.tellWatches()
    return true
  }

  /** Tasks may have left. */
  private tellWatches(): void {
    const { running } = this
    this.watches.moved((sub, partition) => running.includes(taskName({ sub, partition })))
  }

  /** @returns whether they run; not, if the group changed before */
  private async takeOn(coming: readonly string[], signal: AbortSignal): Promise<boolean> {
    const { crew, member, inputs, ends, rows } = this.known()
    const { log, local, settings } = this
    settings.logger.info({ coming, staying: this.running }, 'tasks come to this instance')
    const tasks = coming.map(taskOf)
    await crew.fence(coming)
    if (this.hosts.length > 0 && settings.guarantee === 'exactly-once' && !signal.aborted) {
      const instances = this.hosts.map(({ instance }) => instance)
      await endAbandoned(log, settings.applicationId, instances, settings.logger)
    }
    const positions = await findPositions(log, settings.applicationId, inputs, tasks)
    const wanted = inputs.topics.changelogs.flatMap((changelog) =>
      tasks.filter(({ sub }) => sub === changelog.sub).map(({ partition }) => ({ log: changelog, partition })),
    )
    await restore({
      log,
      local,
      rows,
      wanted,
      topics: inputs.topics.all,
      stores: [...this.ids.all().keys()],
      logger: settings.logger,
      tell: (progress) => this.events.restore(progress),
      signal,
      verify: settings.strict,
      ...(settings.restoreBytesPerSecond === undefined ? {} : { bytesPerSecond: settings.restoreBytesPerSecond }),
    })
    if (signal.aborted) return false
    if (!this.dropLeft) this.refuseLeft(tasks)
    const bounds = await ends.find(inputs.ofAll(tasks))
    if (signal.aborted) return false
    await crew.assign([...this.running, ...coming], {
      ...this.assignment(),
      positions,
      ends: bounds,
      membership: member.membership,
    })
    return true
  }

  /** What waits for sinks that are gone from the topology must not be left behind. */
  private refuseLeft(tasks: readonly TaskId[]): void {
    const { rows } = this.known()
    const names = [...this.ids.all().keys()]
    for (const { sub, partition } of tasks) {
      for (const store of rows.sharedStores(sub, names)) {
        if (!isLeft(store, this.plan)) continue
        const prefix = statePrefix(rows.idOf(store, sub), partition)
        refuseRows(this.local.backend, store, prefix, this.settings.applicationId)
      }
    }
  }

  private assignment() {
    const { inputs } = this.known()
    const none = new Map<string, number>()
    return { topics: inputs.topics, positions: { committed: none, starts: none }, ends: this.known().ends.known }
  }

  private async bound(): Promise<void> {
    const { crew, ends, inputs } = this.known()
    crew.bound(await ends.find(inputs.ofAll(this.running.map(taskOf))))
    this.endIfDue()
  }

  private endIfDue(): void {
    const { crew, ends } = this.known()
    // who ends leaves its tasks to the others, who do the rest: so none may be on its way
    if (!this.allPlaced || this.moved || this.stopping || this.changing.signal.aborted) return
    if (crew.ended && (this.running.length > 0 || ends.all)) this.events.ended()
  }

  /** The group is to be joined again. */
  private move(): void {
    this.moved = true
    this.changing.abort()
    this.rung()
  }

  private fail(error: unknown): void {
    if (this.failure !== undefined) return
    this.failure = error
    this.stopping = true
    clearTimeout(this.watch)
    this.changing.abort()
    this.rung()
    this.watches.end(error)
    void this.abandon().finally(() => this.events.failed(error))
  }

  /** The tasks stop, and go to other instances at once. */
  private async abandon(): Promise<void> {
    const over = new Promise<void>((resolve) => setTimeout(resolve, longestEnd).unref())
    const { crew, member, standbys } = this
    const all = Promise.allSettled([crew?.abandon(), standbys?.close()]).then(() => member?.leave().catch(() => {}))
    await Promise.race([all, over])
  }

  /** Tasks with rows here: how far. */
  private localTasks(): Record<string, number> {
    const found: Record<string, number> = {}
    for (const { topic, partitions, sub } of this.known().inputs.topics.changelogs) {
      for (let partition = 0; partition < partitions; partition++) {
        const position = this.local.position(topic, partition)
        if (position === undefined) continue
        const name = taskName({ sub, partition })
        found[name] = (found[name] ?? 0) + position.offset
      }
    }
    return found
  }

  private known() {
    const { member, inputs, rows, ends, crew, standbys } = this
    return {
      member: member as RemoteMember,
      inputs: inputs as Inputs,
      rows: rows as ChangelogRows,
      ends: ends as Ends,
      crew: crew as Crew,
      standbys: standbys as Standbys,
    }
  }
}
