import type { EmbeddedLease } from '../../../connectors/broker/broker.ts'
import { mergeErrors } from '../../metrics/index.ts'
import type { PhysicalPlan } from '../../plan/physical.ts'
import { answerLatest, type Applied, type AskOwner, type Changes } from '../../query/index.ts'
import { Alarm } from '../../runtime/alarm.ts'
import { EpochAborted } from '../../runtime/failures/errors.ts'
import { Replays } from '../../runtime/failures/replays.ts'
import type { OutputFrame } from '../../runtime/outputs.ts'
import { Tally } from '../../runtime/tally.ts'
import type { TaskGroup } from '../../runtime/tasks/group.ts'
import { Work } from '../../runtime/tasks/work.ts'
import type { Engine, EngineEvents, EngineMeters, EngineReport } from '../engine.ts'
import { EpochWriter } from '../epochs/epoch-writer.ts'
import type { Settings } from '../settings/options.ts'
import type { StoreIds } from '../state/identity.ts'
import { inputTopics } from '../topics/inputs.ts'
import { NewTopics } from '../topics/new-topics.ts'
import { LocalTasks } from './local-tasks.ts'

/** Records between two looks at the clock and at the event loop. */
const SLICE = 8192
/** The same in milliseconds, where records take long. */
const TURN = 10
/** The same while somebody asks: who asks waits for a turn. */
const TURN_ASKED = 2

/** All tasks in the calling thread. */
export class LocalEngine implements Engine {
  private readonly settings: Settings
  private readonly lease: EmbeddedLease
  private readonly events: EngineEvents
  private readonly newTopics: NewTopics
  private readonly writer: EpochWriter
  private readonly tasks: LocalTasks
  private readonly alarm: Alarm
  /** Sources by pattern have more to read. */
  private widening = false
  readonly partitions: readonly number[]
  /** What stops the app from outside of the tasks. */
  private refused: unknown
  private readonly work = new Work()
  private readonly tally = new Tally()
  private readonly replays = new Replays()
  private epoch = 1
  private committedAt = 0
  private wanted = false
  private asked = false
  private written = 0
  private stopping = false
  private failure: unknown = undefined
  private running: Promise<void> = Promise.resolve()

  /** @param partitions of each sub-topology */
  constructor(
    plan: PhysicalPlan,
    partitions: readonly number[],
    settings: Settings,
    lease: EmbeddedLease,
    ids: StoreIds,
    events: EngineEvents,
  ) {
    this.partitions = partitions
    this.settings = settings
    this.lease = lease
    this.events = events
    this.newTopics = new NewTopics(plan, lease, partitions, settings.logger)
    this.alarm = new Alarm(settings.clock)
    const wake = () => this.alarm.ring()
    this.writer = new EpochWriter(plan, partitions, inputTopics(plan, lease), settings, lease, ids, events, {
      ahead: 0,
      wanted: () => {
        this.wanted = true
        wake()
      },
      wake,
      failed: (error) => {
        this.refused ??= error
        wake()
      },
    })
    this.tasks = new LocalTasks({ plan, partitions, settings, lease, ids, newTopics: this.newTopics, wake })
    this.applied.committed(this.tasks.progress(0))
    this.meters = {
      tasks: () => this.group.report(),
      errors: () => mergeErrors([this.tasks.policies.errors.all()]),
      latency: this.writer.latency,
    }
  }

  async start(): Promise<void> {
    const { latency } = this.writer
    const appended = this.lease.log.onAppend((all) => {
      latency.appended(all)
      if (!this.tasks.ending && this.newTopics.among(all)) this.widening = true
      this.wake()
    })
    this.committedAt = this.settings.clock.now()
    this.writer.deliveries.start()
    this.running = this.loop()
      .catch(async (error: unknown) => {
        this.failure = error
        this.group.abandon()
        await this.writer.deliveries.end()
        this.events.failed(error)
      })
      .finally(() => {
        appended[Symbol.dispose]()
        return this.writer.stop()
      })
  }

  async stop(timeout?: number): Promise<void> {
    this.stopping = true
    this.wake()
    await this.running
    this.tasks.close()
    if (this.failure === undefined) await this.writer.deliveries.stop(timeout)
    this.failure ??= this.refused
    if (this.failure !== undefined) throw this.failure
  }

  /** What these topics hold now is all they will: they are bounded inputs. */
  endInputs(topics?: readonly string[]): void {
    this.tasks.endInputs(topics)
    this.wake()
  }

  fillInputs(topics: readonly string[]): void {
    this.tasks.fill(topics)
    this.wake()
  }

  positionOf(topic: string, partition: number): number | undefined {
    return this.tasks.positionOf(topic, partition)
  }

  get changes(): Changes {
    return this.writer.changes
  }

  get applied(): Applied {
    return this.writer.applied
  }

  readonly ask: AskOwner = (layout, partition, query) =>
    answerLatest(this.group, layout.sub, partition, layout.name, query)

  report(): EngineReport {
    const { group, outputs } = this.tasks
    return {
      recordsIn: this.work.processed,
      recordsOut: this.written + outputs.written,
      counters: this.tally.counts(group.counters),
      epochs: this.epoch - 1,
      watermark: group.watermark,
    }
  }

  readonly meters: EngineMeters

  private async loop(): Promise<void> {
    while (!this.stopping) {
      if (this.refused !== undefined) throw this.refused
      if (this.writer.deliveries.full) {
        this.commitIfDue()
        await this.rest()
        continue
      }
      if (this.widening) this.widen()
      const n = this.attempt()
      if (n < 0) await this.alarm.after(this.replays.delay)
      if (this.group.ended) {
        this.commit()
        await this.writer.deliveries.drained()
        if (this.refused !== undefined) throw this.refused
        this.events.ended()
        return
      }
      if (n !== 0) await breathe()
      else await this.rest()
    }
    this.commit()
  }

  heed(): void {
    this.asked = true
  }

  /** Between two epochs, tasks are made anew. */
  private widen(): void {
    this.widening = false
    this.commit()
    this.tasks.close()
    this.tally.beginAnew()
    this.tasks.build(this.epoch, this.replays.careful)
  }

  /** One slice of work, and the checkpoint if it is due. What a policy wants tried again is. */
  private attempt(): number {
    try {
      const n = this.work.slice(this.group, SLICE, this.asked ? TURN_ASKED : TURN)
      this.asked = false
      if (this.group.pressed) {
        this.commit()
        // it stopped before it was done
        return Math.max(n, 1)
      }
      this.commitIfDue()
      return n
    } catch (error) {
      this.recover(error)
      return -1
    }
  }

  private commitIfDue(): void {
    if (this.dirty && this.settings.clock.now() - this.committedAt >= this.settings.interval) this.commit()
  }

  private recover(error: unknown): void {
    const cause = error instanceof EpochAborted ? error.cause : error
    this.replays.note(cause)
    this.settings.logger.warn({ error: String(cause) }, 'the epoch is taken back and replayed')
    this.work.takeBack()
    this.group.abandon()
    this.tally.beginAnew()
    this.tasks.build(this.epoch, this.replays.careful)
    this.applied.begunAnew()
  }

  private get dirty(): boolean {
    const { outputs } = this.tasks
    return this.wanted || this.work.unsealed || outputs.written > 0 || outputs.waiting
  }

  private commit(): void {
    const { writer } = this
    const { group, outputs } = this.tasks
    let epoch = this.epoch
    let frames: readonly OutputFrame[] = []
    writer.write(
      (sealer) => {
        epoch = group.seal(sealer)
      },
      () => (frames = outputs.take()),
    )
    outputs.release(frames)
    group.written(epoch)
    this.epoch = epoch + 1
    this.written += outputs.written
    outputs.written = 0
    this.work.seal()
    this.work.committed()
    this.tally.seal(group.counters)
    this.tally.committed()
    this.committedAt = this.settings.clock.now()
    this.wanted = false
    this.replays.succeeded()
    writer.committed(this.tasks.progress(epoch))
  }

  /** Until something is appended, or the clock makes something due. */
  private rest(): Promise<void> {
    const { clock, interval } = this.settings
    const now = clock.now()
    const due = Math.min(
      now + 100,
      this.dirty ? this.committedAt + interval : Number.POSITIVE_INFINITY,
      ...this.group.tasks.map((task) => task.parts.wall.due),
    )
    return this.alarm.until(Math.max(now + 1, due))
  }

  private get group(): TaskGroup {
    return this.tasks.group
  }

  private wake(): void {
    this.alarm.ring()
  }
}

const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
