import type { RemoteLog, RemoteMember, RemoteReader, RemoteWriter } from '../../connectors/broker/remote.ts'
import { DhaaraError } from '../../errors/index.ts'
import { decodeValue } from '../../state/codec/index.ts'
import { statePrefix } from '../../state/stores/index.ts'
import type { Engine, EngineEvents, EngineReport } from '../app/engine.ts'
import type { StoreIds } from '../app/identity.ts'
import type { Settings } from '../app/options.ts'
import { Policies } from '../app/policies.ts'
import type { PhysicalPlan } from '../plan/physical.ts'
import { answerLatest, type AskOwner } from '../query/index.ts'
import { EpochAborted } from '../runtime/errors.ts'
import { TopicFeed } from '../runtime/feed.ts'
import { CarefulReplay, RetryEpoch, TaskGroup } from '../runtime/group.ts'
import type { Host, TaskId } from '../runtime/host.ts'
import { Outputs } from '../runtime/outputs.ts'
import { topicsOf } from '../runtime/topics.ts'
import { assign, type MemberState, taskName, taskOf } from './assignor.ts'
import { ChangelogRows } from './changelog.ts'
import { inletStore, positionName, sealEpoch, sendEarly, writeEpochTo } from './epoch.ts'
import type { LocalState } from './local-state.ts'
import { isInternal } from './names.ts'
import { type RestoreProgress, restore } from './restore.ts'
import { TopicLinks } from './topic-links.ts'
import { type AppTopics, prepareTopics } from './topics.ts'

/** Records between two looks at the clock and at the event loop. */
const SLICE = 8192
const RETRY_DELAYS = [100, 200, 400, 800, 1600, 3200, 6400, 10_000]
/** Bytes of outputs that may wait for the epoch before them to be committed. */
const MOST_WAITING = 64 << 20

export interface RemoteEvents extends EngineEvents {
  restore(progress: RestoreProgress): void
}

/**
 * This instance's share of an app's tasks, in the calling thread. Instances share the tasks by way of a group; each commits
 * its own in one transaction an epoch (docs: checkpoints).
 *
 *     join ─▶ fence, wait for what others left open ─▶ restore ─▶ run ─▶ (seal ─▶ send ─▶ commit ─▶ write) …
 *       ▲                                                          │
 *       └── others came or went; a commit was refused or unclear ◀─┘
 */
export class RemoteEngine implements Engine {
  private readonly plan: PhysicalPlan
  private readonly settings: Settings
  private readonly log: RemoteLog
  private readonly local: LocalState
  private readonly ids: StoreIds
  private readonly events: RemoteEvents
  private readonly policies: Policies
  private readonly exactlyOnce: boolean
  private readonly reader: RemoteReader
  private readonly writer: RemoteWriter
  private topics: AppTopics | undefined
  private rows: ChangelogRows | undefined
  private member: RemoteMember | undefined
  private tasks: readonly string[] = []
  private group: TaskGroup | undefined
  private links: TopicLinks | undefined
  private outputs: Outputs
  private committed = new Map<string, number>()
  private starts = new Map<string, number>()
  private begun = false
  private moved = false
  private committing: Promise<void> | undefined
  private refused: unknown = undefined
  /** Something of the running epoch has left already. */
  private sent = false
  private careful = false
  private epoch = 1
  private sealedAt = 0
  private processed = 0
  private processedAtSeal = 0
  private processedAtCommit = 0
  private written = 0
  private retries = 0
  private readonly bounded = new Map<string, number>()
  /** Which topics are bounded, where there is no end known yet: partitions that come to this instance later. */
  private isBounded: (topic: string) => boolean = () => false
  private filling: ReadonlySet<string> = new Set()
  private stopping = false
  private failure: unknown = undefined
  private rung = false
  private wakeUp: () => void = () => {}
  private running: Promise<void> = Promise.resolve()

  constructor(
    plan: PhysicalPlan,
    settings: Settings,
    log: RemoteLog,
    local: LocalState,
    ids: StoreIds,
    events: RemoteEvents,
  ) {
    this.ids = ids
    this.plan = plan
    this.settings = settings
    this.log = log
    this.local = local
    this.events = events
    this.exactlyOnce = settings.guarantee === 'exactly-once'
    this.policies = new Policies(settings, () => this.outputs)
    this.outputs = this.newOutputs()
    this.reader = log.reader({ onData: () => this.wake() })
    const transactionalId = `${settings.applicationId}-${local.instance}`
    this.writer = log.writer(this.exactlyOnce ? { transactionalId, transactionTimeoutMs: 30_000 } : {})
  }

  async start(): Promise<void> {
    const { plan, settings, log } = this
    this.topics = await prepareTopics(log, plan, settings, settings.logger)
    this.rows = new ChangelogRows(this.topics.changelogs, this.ids)
    this.member = log.member({
      group: settings.applicationId,
      topics: this.inputTopics(),
      userData: () => Buffer.from(JSON.stringify({ running: this.tasks, local: this.localTasks() })),
      assign: async (members) => this.assign(members),
    })
    await this.join()
    this.sealedAt = settings.clock.now()
    this.running = this.loop().catch((error: unknown) => {
      this.failure = error
      this.events.failed(error)
    })
  }

  async stop(): Promise<void> {
    this.stopping = true
    this.wake()
    await this.running
    this.group?.close()
    await this.member?.leave()
    if (this.failure !== undefined) throw this.failure
  }

  endInputs(topics?: readonly string[]): void {
    const before = this.isBounded
    this.isBounded = (topic) => before(topic) || topics === undefined || topics.includes(topic)
    this.findEnds(this.feeds()).then(
      () => {
        this.boundFeeds()
        this.wake()
      },
      (error) => {
        this.refused ??= error
        this.wake()
      },
    )
  }

  fillInputs(topics: readonly string[]): void {
    this.filling = new Set(topics)
    this.wake()
  }

  positionOf(topic: string, partition: number): number | undefined {
    return this.feeds().find((feed) => feed.topic === topic && feed.partition === partition)?.position
  }

  get partitions(): readonly number[] {
    return this.topics?.partitions ?? []
  }

  /** Those of a sub-topology that are this instance's. */
  partitionsHere(sub: number): number[] {
    return this.tasks.flatMap((task) => (taskOf(task).sub === sub ? [taskOf(task).partition] : []))
  }

  readonly ask: AskOwner = (layout, partition, query) => {
    if (this.group === undefined) throw new DhaaraError('DHAARA_RESTORING', 'the tasks are not ready; ask again')
    return answerLatest(this.group, layout.sub, partition, layout.name, query)
  }

  report(): EngineReport {
    const counters = new Map<string, number>()
    let watermark = Number.POSITIVE_INFINITY
    if (this.group !== undefined) {
      for (const [name, { n }] of this.group.counters) counters.set(name, n)
      for (const task of this.group.tasks) watermark = Math.min(watermark, task.parts.clock.w)
    }
    const recordsOut = this.written + this.outputs.written
    return { recordsIn: this.processed, recordsOut, counters, epochs: this.epoch - 1, watermark }
  }

  private async loop(): Promise<void> {
    while (!this.stopping) {
      if (this.refused !== undefined) await this.settle(this.refused)
      if (this.moved) await this.rejoin()
      const n = this.attempt()
      if (n < 0) {
        await this.pause(RETRY_DELAYS[this.retries - 1] ?? 0)
        await this.committing
        this.group?.abandon()
        if (this.sent && this.refused === undefined) await this.writer.abort()
        this.sent = false
        this.build()
        continue
      }
      const due = this.settings.clock.now() - this.sealedAt >= this.settings.interval
      if (this.committing === undefined) {
        if ((due && this.dirty) || this.group?.pressed) this.commit()
        else this.sendFull()
      }
      if (this.group?.ended && !this.dirty) {
        await this.committing
        if (this.refused === undefined && this.group.ended && !this.dirty) {
          this.events.ended()
          return
        }
      }
      if (this.committing !== undefined && (this.outputs.bytes > MOST_WAITING || this.group?.full))
        await this.committing
      if (n > 0) await breathe()
      else await this.rest()
    }
    await this.committing
    if (this.refused === undefined && this.dirty) {
      this.commit()
      await this.committing
    }
    // What was not committed is done again by whoever has the tasks next.
    if (this.refused !== undefined) this.settings.logger.warn({ error: String(this.refused) }, 'the last epoch is lost')
  }

  /** One slice of work; -1: the epoch is to be taken back and tried again. */
  private attempt(): number {
    const { group } = this
    if (group === undefined) return 0
    try {
      const before = sourced(group)
      group.tick()
      group.run(SLICE)
      const n = sourced(group) - before
      this.processed += n
      return n
    } catch (error) {
      const cause = error instanceof EpochAborted ? error.cause : error
      if (cause instanceof CarefulReplay) this.careful = true
      else if (!(cause instanceof RetryEpoch) || this.retries >= RETRY_DELAYS.length)
        throw cause instanceof RetryEpoch ? cause.cause : cause
      else this.retries++
      this.settings.logger.warn({ error: String(cause) }, 'the epoch is taken back and replayed')
      return -1
    }
  }

  private get dirty(): boolean {
    return this.processed !== this.processedAtSeal || this.outputs.written > 0 || this.links?.news === true
  }

  /** The transaction before this epoch's is over: what is full can go. */
  private sendFull(): void {
    const { outputs } = this
    const frames = outputs.takeFull()
    if (frames.length === 0) return
    this.sent = true
    sendEarly(this.writer, frames)
    outputs.release(frames)
  }

  private commit(): void {
    const { rows, member, topics } = this.parts()
    const group = this.group as TaskGroup
    const began = performance.now()
    const { outputs, processed } = this
    const sealed = sealEpoch({
      group,
      outputs,
      links: this.links,
      rows,
      local: this.local,
      readerOf: (topic) => topics.repartitions.find((one) => one.topic === topic)?.sub ?? 0,
      committed: this.committed,
      now: this.settings.clock.now(),
    })
    const { epoch, batch } = sealed
    const { bytes } = batch
    this.sent = false
    this.epoch = epoch + 1
    this.written += outputs.written
    outputs.written = 0
    this.processedAtSeal = processed
    this.sealedAt = this.settings.clock.now()
    const options = { exactlyOnce: this.exactlyOnce, sync: this.settings.sync === 'commit' }
    const idOf = (topic: string) => topics.all.get(topic)?.id ?? ''
    this.committing = writeEpochTo(sealed, this.writer, this.log, this.local, member.membership, idOf, options)
      .then(
        () => {
          group.written(epoch)
          outputs.release(sealed.outputs)
          for (const one of sealed.positions) this.committed.set(positionName(one), one.offset)
          this.processedAtCommit = processed
          this.retries = 0
          this.purge(sealed.positions)
          this.events.checkpoint({ epoch, ms: performance.now() - began, bytes })
        },
        (error: unknown) => {
          this.refused = error
        },
      )
      .finally(() => {
        this.committing = undefined
        this.wake()
      })
  }

  /** What was read from repartitions is of no use to anybody. */
  private purge(positions: readonly { topic: string; partition: number; offset: number }[]): void {
    const internal = positions.filter(({ topic }) =>
      this.parts().topics.repartitions.some((one) => one.topic === topic),
    )
    if (internal.length === 0 || this.epoch % 50 !== 0) return
    this.log.deleteRecords(internal).catch((error: unknown) => {
      this.settings.logger.warn({ error: String(error) }, 'repartition topics were not purged')
    })
  }

  /** A commit was refused, or its outcome is not known: begin anew from what is there. */
  private async settle(error: unknown): Promise<void> {
    await this.committing
    this.refused = undefined
    if (!(error instanceof DhaaraError) || !error.retryable) throw error
    this.settings.logger.warn(
      { error: error.message, code: error.code },
      'the epoch is taken back: it was not committed',
    )
    this.begun = false
    this.drop()
    await this.again()
  }

  /** Others have come or gone. */
  private async rejoin(): Promise<void> {
    await this.committing
    if (this.refused !== undefined) return
    if (this.dirty && this.group !== undefined) {
      this.commit()
      await this.committing
      if (this.refused !== undefined) return
    }
    await this.again()
  }

  private async again(): Promise<void> {
    this.events.rebalancing?.()
    await this.join()
    this.events.running?.()
  }

  /** Becomes a member, and makes the tasks that are this instance's from now on. */
  private async join(): Promise<void> {
    const { member } = this.parts()
    this.moved = false
    const told = (await member.join()).toString()
    const tasks = told === '' ? [] : (JSON.parse(told) as string[])
    member.rebalance.then(
      () => {
        this.moved = true
        this.wake()
      },
      (error: unknown) => {
        this.refused ??= error
        this.wake()
      },
    )
    const same = tasks.length === this.tasks.length && tasks.every((task) => this.tasks.includes(task))
    if (same && this.begun && this.group !== undefined) return
    this.settings.logger.info({ tasks }, 'tasks of this instance')
    this.drop()
    this.tasks = tasks
    if (!this.begun) {
      await this.writer.init()
      this.begun = true
    }
    await this.prepare(tasks.map(taskOf))
    this.build()
  }

  /** State and positions of tasks, as the instance that had them before has left them. */
  private async prepare(tasks: readonly TaskId[]): Promise<void> {
    const { topics, rows } = this.parts()
    const { log, local, settings } = this
    const inputs = distinct(tasks.flatMap((task) => this.inputsOf(task)))
    const group = await log.groupOffsets(settings.applicationId, inputs)
    this.committed = new Map()
    for (const [i, one] of inputs.entries()) {
      const offset = group[i]
      if (offset !== undefined) this.committed.set(positionName(one), offset)
    }
    const wanted = topics.changelogs.flatMap((changelog) =>
      tasks.filter(({ sub }) => sub === changelog.sub).map(({ partition }) => ({ log: changelog, partition })),
    )
    await restore(log, local, rows, wanted, topics.all, settings.logger, (progress) => this.events.restore(progress))
    const globals = this.globalPartitions()
    const [earliest, latest, first] = await Promise.all([
      log.offsets(inputs, 'earliest'),
      log.offsets(inputs, 'latest'),
      log.offsets(globals, 'earliest'),
    ])
    await this.findEnds([...inputs, ...globals])
    this.starts = new Map()
    for (const [i, one] of inputs.entries()) {
      const { topic, partition } = one
      const start = one.reset === 'latest' ? latest[i] : earliest[i]
      this.starts.set(positionName({ topic, partition }), this.committed.get(positionName(one)) ?? (start as number))
    }
    // what other tasks have committed of a global table says nothing of a new task's copy
    for (const [i, one] of globals.entries()) this.starts.set(positionName(one), first[i] as number)
  }

  /** Tasks from what is written. */
  private build(): void {
    const { topics } = this.parts()
    this.group?.close()
    this.links?.close()
    this.outputs = this.newOutputs()
    this.processed = this.processedAtCommit
    this.processedAtSeal = this.processed
    const tasks = this.tasks.map(taskOf)
    this.links =
      this.plan.repartitions.length === 0
        ? undefined
        : new TopicLinks(
            this.settings.applicationId,
            this.plan,
            topics.partitions,
            this.outputs,
            this.reader,
            (topic, partition) => this.inletPosition(topic, partition),
            () => this.settings.clock.now(),
          )
    this.group =
      tasks.length === 0
        ? undefined
        : new TaskGroup(this.plan, topics.partitions, tasks, this.host(), this.epoch, this.links)
    this.boundFeeds()
  }

  private drop(): void {
    this.sent = false
    for (const { topic, partition } of this.feeds()) this.reader.remove(topic, partition)
    this.links?.close()
    this.group?.close()
    this.group = undefined
    this.links = undefined
    this.outputs = this.newOutputs()
    this.processed = this.processedAtCommit
    this.processedAtSeal = this.processed
  }

  private inletPosition(topic: string, partition: number): number {
    const { rows, topics } = this.parts()
    const sub = topics.repartitions.find((one) => one.topic === topic)?.sub ?? 0
    const prefix = statePrefix(rows.idOf(inletStore, sub), partition)
    const row = this.local.backend.get(Buffer.concat([prefix, Buffer.from(topic)]))
    return row === undefined ? (this.starts.get(positionName({ topic, partition })) ?? 0) : (decodeValue(row) as number)
  }

  private assign(members: readonly { readonly member: string; readonly userData: Buffer }[]) {
    const { topics } = this.parts()
    const states = members.map(({ member, userData }): MemberState => ({ member, ...JSON.parse(userData.toString()) }))
    const all = this.plan.subs.flatMap(({ id: sub }) =>
      Array.from({ length: topics.partitions[sub] as number }, (_, partition) => taskName({ sub, partition })),
    )
    return Array.from(assign(all, states), ([member, tasks]) => ({
      member,
      partitions: distinct(tasks.flatMap((task) => this.inputsOf(taskOf(task)))),
      userData: Buffer.from(JSON.stringify(tasks)),
    }))
  }

  /** Tasks with rows here: how far. */
  private localTasks(): Record<string, number> {
    const { topics } = this.parts()
    const found: Record<string, number> = {}
    for (const { topic, partitions, sub } of topics.changelogs) {
      for (let partition = 0; partition < partitions; partition++) {
        const position = this.local.position(topic, partition)
        if (position === undefined) continue
        const name = taskName({ sub, partition })
        found[name] = (found[name] ?? 0) + position.offset
      }
    }
    return found
  }

  private inputsOf({ sub, partition }: TaskId): { topic: string; partition: number; reset: 'earliest' | 'latest' }[] {
    const { topics } = this.parts()
    const inputs: { topic: string; partition: number; reset: 'earliest' | 'latest' }[] = []
    for (const { op } of this.plan.subs[sub]?.inputs ?? []) {
      if (op.kind !== 'source') continue
      for (const topic of topicsOf(op, this.names())) {
        const count = topics.all.get(topic)?.partitions ?? 0
        const mine = op.global ? Array.from({ length: count }, (_, p) => p) : partition < count ? [partition] : []
        for (const p of mine) inputs.push({ topic, partition: p, reset: op.offsetReset })
      }
    }
    for (const one of topics.repartitions)
      if (one.sub === sub) inputs.push({ topic: one.topic, partition, reset: 'earliest' })
    return inputs
  }

  /** Of global tables: every task reads them all. */
  private globalPartitions(): { topic: string; partition: number }[] {
    const { all } = this.parts().topics
    return this.plan.logical.nodes
      .filter((node) => node.kind === 'source' && node.global)
      .flatMap((node) => (node.kind === 'source' ? topicsOf(node, this.names()) : []))
      .flatMap((topic) =>
        Array.from({ length: all.get(topic)?.partitions ?? 0 }, (_, partition) => ({ topic, partition })),
      )
  }

  private inputTopics(): string[] {
    const { topics } = this.parts()
    const sources = this.plan.logical.nodes.flatMap((node) =>
      node.kind === 'source' ? topicsOf(node, this.names()) : [],
    )
    return [...new Set([...sources, ...topics.repartitions.map(({ topic }) => topic)])]
  }

  /** Topics that are not this app's own. */
  private names(): string[] {
    const { topics } = this.parts()
    return [...topics.all.keys()].filter((name) => !isInternal(this.settings.applicationId, name)).sort()
  }

  private parts() {
    const { topics, rows, member } = this
    return { topics: topics as AppTopics, rows: rows as ChangelogRows, member: member as RemoteMember }
  }

  private rest(): Promise<void> {
    const { clock, interval } = this.settings
    const now = clock.now()
    const waits = this.group?.tasks.map((task) => task.parts.wall.due) ?? []
    const commitAt = this.dirty && this.committing === undefined ? this.sealedAt + interval : Number.POSITIVE_INFINITY
    const due = Math.min(now + 100, commitAt, ...waits)
    return new Promise((resolve) => {
      const timer = clock.setTimer(Math.max(now + 1, due), () => this.wake())
      this.wakeUp = () => {
        timer[Symbol.dispose]()
        this.wakeUp = () => {}
        this.rung = false
        resolve()
      }
      if (this.stopping || this.rung) this.wakeUp()
    })
  }

  private wake(): void {
    this.rung = true
    this.wakeUp()
  }

  private pause(ms: number): Promise<void> {
    const { clock } = this.settings
    return new Promise((resolve) => void clock.setTimer(clock.now() + ms, resolve))
  }

  private feeds(): TopicFeed[] {
    return (this.group?.tasks ?? []).flatMap((task) => task.parts.feeds.filter((feed) => feed instanceof TopicFeed))
  }

  private async findEnds(inputs: readonly { readonly topic: string; readonly partition: number }[]): Promise<void> {
    const { repartitions } = this.parts().topics
    const where = distinct(inputs)
      .filter((one) => this.isBounded(one.topic) && !this.bounded.has(positionName(one)))
      .filter(({ topic }) => !repartitions.some((one) => one.topic === topic))
      .map(({ topic, partition }) => ({ topic, partition }))
    const ends = await this.log.offsets(where, 'latest', true)
    for (const [i, one] of where.entries()) this.bounded.set(positionName(one), ends[i] as number)
  }

  private boundFeeds(): void {
    for (const feed of this.feeds()) {
      const end = this.bounded.get(positionName(feed))
      if (end !== undefined) feed.until = end
    }
  }

  private newOutputs(): Outputs {
    return new Outputs((topic) => this.partitionsOf(topic))
  }

  private partitionsOf(topic: string): number {
    const found = this.parts().topics.all.get(topic)
    if (found !== undefined) return found.partitions
    throw new DhaaraError(
      'DHAARA_TOPIC_UNKNOWN',
      `There was no topic '${topic}' when the app was started. Create it, or correct the name`,
    )
  }

  private host(): Host {
    const { settings, policies, reader } = this
    const { rows } = this.parts()
    const names = this.names()
    return {
      reader: this.local.backend,
      outputs: this.outputs,
      storeId: (name, sub) => rows.idOf(name, sub),
      partitionsOf: (topic) => this.partitionsOf(topic),
      topics: () => names,
      fetch: (topic, partition, offset) => {
        reader.add(topic, partition, offset)
        return reader.take(topic, partition, offset)
      },
      behind: (topic, partition, offset) => {
        if (this.filling.has(topic)) return true
        reader.add(topic, partition, offset)
        // Before anything is known, there may be more.
        return !(reader.end(topic, partition) <= offset)
      },
      startOffset: (_source, topic, partition) => this.starts.get(positionName({ topic, partition })) ?? 0,
      now: () => settings.clock.now(),
      wake: () => this.wake(),
      onUserError: (error, rec) => policies.onUserError(error, rec),
      onDataError: (error, source, batch, i) => policies.onDataError(error, source, batch, i),
      deadLetter: (error, rec) => policies.deadLetter(error, rec),
      deadLetterRaw: (error, batch, i) => policies.deadLetterRaw(error, batch, i),
      options: {
        careful: this.careful || settings.strict,
        strict: settings.strict,
        codegen: true,
        cacheBytes: settings.cacheBytes,
        maxTimestampAhead: settings.maxTimestampAhead,
        maxTaskIdle: settings.maxTaskIdle,
        emptyIdle: settings.maxTaskIdle,
        batchSize: 2048,
      },
    }
  }
}

/** Several tasks read the same partitions of a global table. */
function distinct<P extends { readonly topic: string; readonly partition: number }>(all: readonly P[]): P[] {
  return [...new Map(all.map((one) => [positionName(one), one])).values()]
}

function sourced(group: TaskGroup): number {
  let n = 0
  for (const task of group.tasks) n += task.sourced
  return n
}

const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
