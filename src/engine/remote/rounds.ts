import { DhaaraError } from '../../errors/index.ts'
import { statePrefix } from '../../state/stores/index.ts'
import { isLeft, refuseRows } from '../connect/refuse.ts'
import type { TaskId } from '../runtime/host.ts'
import { endAbandoned } from './runner/abandoned.ts'
import { taskName, taskOf } from './group/assignor.ts'
import { assignmentOf } from './assignment.ts'
import type { Known } from './group/away.ts'
import type { Cut } from './group/cut.ts'
import type { EngineParts, Share } from './engine-parts.ts'
import { adoptGrowth } from './topics/growth.ts'
import { decodeTold } from './group/membership.ts'
import type { HostTasks, Told } from './group/told.ts'
import { mayPass } from './runner/passing.ts'
import { findPositions } from './positions.ts'
import { restore } from './state/restore.ts'

/** What is begun anew after failures that may pass is given up when it has not gone well for so long, ms. */
const patience = 10 * 60_000
/** Others wait for this instance's commits no longer than this when all join again, ms. */
const longestHold = 2000
/** Instances do not begin to join again all at one moment, ms. */
const stagger = 250
/** How long it is tried to find a moment at which all tasks are placed and nobody commits, and how often, ms. */
const longestCut = 60_000
const cutEvery = 3000
/** An instance tells the group so often where it is, should the group not take notice. */
const mostRetold = 3

export interface RoundHooks {
  /** The group is to be joined again. */
  ring(): void
  /** Tasks may have left. */
  moved(): void
  /** Tasks are where they are to be, as far as this instance goes. */
  placed(): void
  failed(error: unknown): void
}

/**
 * Rounds of joining the group, until each task is where it is to be:
 *
 *     join ─▶ let go of what others get ─▶ fence, restore what is new ─▶ run all
 *       ▲                 │ (join again)                 │ (join again)
 *       └─────────────────┴──────────────────────────────┘
 */
export class Rounds {
  /** The group is to be joined again. */
  moved = false
  /** No task is on its way from one instance to another, as far as is known. */
  private allPlaced = false
  private changing = new AbortController()
  private stopping = false
  hosts: readonly HostTasks[] = []
  private told: (Known & { readonly at: number }) | undefined
  private waiting: NodeJS.Timeout | undefined
  /** How often the group was joined so that it tells the others where this instance is now. */
  private retold = 0
  /** How often there was something that all have to join again for. */
  private toldNews = 0
  /** It commits nothing now, and nothing that it sent is uncommitted. */
  held = false
  private cutWanted: PromiseWithResolvers<Cut> | undefined
  private refuseCut = (_why: string): void => {}
  private readonly parts: EngineParts
  private readonly share: Share
  private readonly hooks: RoundHooks

  constructor(parts: EngineParts, share: Share, hooks: RoundHooks) {
    this.parts = parts
    this.share = share
    this.hooks = hooks
  }

  /** Every task is with somebody, and nothing says that this will change. */
  get still(): boolean {
    return this.allPlaced && !this.moved && !this.stopping && !this.changing.signal.aborted
  }

  /** What the group knows of who has which tasks, to be told to whoever leads it next. */
  get known(): Known | undefined {
    if (this.told === undefined) return undefined
    const { generation, hosts, away, at } = this.told
    const since = performance.now() - at
    return { generation, hosts, away: away.map((one) => ({ ...one, ms: Math.max(0, one.ms - since) })) }
  }

  /** Another number is news to the group: all join again. */
  get news(): number {
    return this.retold + this.toldNews
  }

  /** The group is to be joined again. */
  move(): void {
    this.moved = true
    this.changing.abort()
    this.hooks.ring()
  }

  /** All are to join again, though nobody has come or gone. */
  tell(): void {
    this.toldNews++
    this.move()
  }

  get wantsCut(): boolean {
    return this.cutWanted !== undefined
  }

  /**
   * Joins until every task is with somebody and nobody commits.
   *
   * @throws DhaaraError DHAARA_SAVEPOINT: that did not come about, or the instance ends
   */
  async cut(): Promise<Cut> {
    while (this.cutWanted !== undefined) await this.cutWanted.promise.catch(() => {})
    const wanted = (this.cutWanted = Promise.withResolvers<Cut>())
    wanted.promise.catch(() => {})
    const refuse = (why: string): void =>
      wanted.reject(new DhaaraError('DHAARA_SAVEPOINT', `savepoint: ${why}; try again`))
    const late = setTimeout(
      () => refuse(`tasks were on the move, or busy, for ${longestCut / 1000} s, so that there was no moment of rest`),
      longestCut,
    )
    const again = setInterval(() => this.still && this.tell(), cutEvery)
    this.refuseCut = refuse
    this.tell()
    try {
      return await wanted.promise
    } finally {
      this.cutWanted = undefined
      clearTimeout(late)
      clearInterval(again)
    }
  }

  stop(): void {
    this.refuseCut('the instance ends')
    this.stopping = true
    clearTimeout(this.waiting)
    this.changing.abort()
  }

  /** Joins until there is nothing more to be done for it. What fails and may pass is tried again. */
  async settle(): Promise<void> {
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
        this.parts.settings.logger.warn({ error: error.message, code: error.code }, 'joining the group is tried again')
        await new Promise((resolve) => setTimeout(resolve, pause))
      }
    }
  }

  private async round(): Promise<void> {
    const { member, crew, standbys } = this.share
    const { signal } = (this.changing = new AbortController())
    this.allPlaced = false
    this.held = await crew.hold(longestHold)
    const told = decodeTold(await this.join())
    if (told.cut !== undefined) this.cutWanted?.resolve(told.cut)
    this.hosts = told.hosts ?? []
    this.remember(told)
    await this.learn(told)
    member.rebalance.then(
      () => this.move(),
      (error: unknown) => this.hooks.failed(error),
    )
    if (await this.letGo(told)) {
      this.moved = true
      return
    }
    const coming = told.tasks.filter((task) => !crew.tasks.includes(task))
    standbys.pause(coming)
    if (coming.length > 0 && !(await this.takeOn(coming, signal))) return
    await standbys.keep(
      told.standbys.filter((task) => !crew.tasks.includes(task)),
      told.warming,
    )
    this.allPlaced = told.settled
    this.tellWhere()
    this.hooks.placed()
  }

  /** Others have found that there are more tasks. @throws DhaaraError DHAARA_KAFKA_TIMEOUT: this instance cannot see why yet */
  private async learn({ tasks, standbys }: Told): Promise<void> {
    const known = new Set(this.share.inputs.tasks.map(taskName))
    const isNew = (): string | undefined => [...tasks, ...standbys].find((task) => !known.has(task))
    if (isNew() === undefined) return
    await adoptGrowth(this.parts, this.share)
    for (const task of this.share.inputs.tasks) known.add(taskName(task))
    const unknown = isNew()
    if (unknown === undefined) return
    throw new DhaaraError('DHAARA_KAFKA_TIMEOUT', `the broker does not tell yet of the partitions of task ${unknown}`)
  }

  /** When the tasks of somebody who is away have been kept for long enough, all join again. */
  private remember({ hosts, away = [] }: Told): void {
    clearTimeout(this.waiting)
    if (hosts === undefined) return
    const { generation } = this.share.member.membership
    const had = hosts.map(({ instance, tasks }) => ({ instance, tasks }))
    this.told = { generation, hosts: had, away, at: performance.now() }
    if (away.length === 0) return
    // one is enough: the others hear of it
    const place = hosts.findIndex(({ instance }) => instance === this.parts.local.instance)
    this.waiting = setTimeout(
      () => this.tell(),
      Math.min(...away.map(({ ms }) => ms)) + Math.max(0, place) * stagger,
    ).unref()
    const tasks = away.flatMap((one) => one.tasks)
    this.parts.settings.logger.info({ tasks }, 'tasks are kept for an instance that has left')
  }

  /** One that keeps its place over a restart is not told of anew, though it may be elsewhere now. */
  private tellWhere(): void {
    const own = this.hosts.find(({ instance }) => instance === this.parts.local.instance)
    if (this.hosts.length === 0 || own?.at === this.parts.at || this.retold >= mostRetold) return
    this.retold++
    this.moved = true
  }

  private async join(): Promise<Buffer> {
    const { member, crew } = this.share
    try {
      return await member.join()
    } catch (error) {
      // Others may have committed what is worked on here, and more.
      if (error instanceof DhaaraError && error.code === 'DHAARA_KAFKA_FENCED')
        await crew.lose().then(() => this.hooks.moved())
      throw error
    } finally {
      this.held = false
      crew.release(member.membership)
    }
  }

  /** @returns whether there was anything that others wait for */
  private async letGo({ tasks }: Told): Promise<boolean> {
    const { crew } = this.share
    const leaving = crew.tasks.filter((task) => !tasks.includes(task))
    if (leaving.length === 0) return false
    this.parts.settings.logger.info({ leaving }, 'tasks leave this instance')
    await crew.assign(
      crew.tasks.filter((task) => tasks.includes(task)),
      assignmentOf(this.share),
    )
    this.hooks.moved()
    return true
  }

  /** @returns whether they run; not, if the group changed before */
  private async takeOn(coming: readonly string[], signal: AbortSignal): Promise<boolean> {
    const { crew, inputs, ends, rows } = this.share
    const { log, local, settings } = this.parts
    settings.logger.info({ coming, staying: crew.tasks }, 'tasks come to this instance')
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
      stores: [...this.parts.ids.all().keys()],
      logger: settings.logger,
      tell: (progress) => this.parts.events.restore(progress),
      signal,
      gently: this.parts.hire.here && crew.tasks.length > 0,
      verify: settings.strict,
      ...(settings.restoreBytesPerSecond === undefined ? {} : { bytesPerSecond: settings.restoreBytesPerSecond }),
    })
    if (signal.aborted) return false
    if (!this.parts.dropLeft) this.refuseLeft(tasks)
    const bounds = await ends.find(inputs.ofAll(tasks))
    if (signal.aborted) return false
    await crew.assign([...crew.tasks, ...coming], {
      ...assignmentOf(this.share),
      positions,
      ends: bounds,
    })
    return true
  }

  /** What waits for sinks that are gone from the topology must not be left behind. */
  private refuseLeft(tasks: readonly TaskId[]): void {
    const { rows } = this.share
    const names = [...this.parts.ids.all().keys()]
    for (const { sub, partition } of tasks) {
      for (const store of rows.sharedStores(sub, names)) {
        if (!isLeft(store, this.parts.plan)) continue
        const prefix = statePrefix(rows.idOf(store, sub), partition)
        refuseRows(this.parts.local.backend, store, prefix, this.parts.settings.applicationId)
      }
    }
  }
}
