import { taskOf } from '../group/assignor.ts'
import { assignmentOf } from '../assignment.ts'
import type { EngineParts, Share } from '../engine-parts.ts'
import type { Inputs } from '../inputs.ts'
import { grow } from './growth.ts'
import { mayPass } from '../runner/passing.ts'
import { newPositions } from '../positions.ts'
import { newsOf } from './watch-topics.ts'

/** Between two looks whether topics have come, ms. */
const every = 5000

export interface WatchHooks {
  /** Something new can be read. */
  ring(): void
  /** There are more tasks. */
  grown(): void
  failed(error: unknown): void
}

/** Looks for topics that come while the app runs. */
export class TopicWatch {
  private readonly parts: EngineParts
  private readonly share: Share
  private readonly hooks: WatchHooks
  /** Of topics that have come, not read yet. */
  private found: Inputs | undefined
  /** Those that cannot be read, and were told of. */
  private readonly left = new Set<string>()
  private timer: NodeJS.Timeout | undefined
  private stopped = false

  constructor(parts: EngineParts, share: Share, hooks: WatchHooks) {
    this.parts = parts
    this.share = share
    this.hooks = hooks
  }

  private again(): void {
    if (!this.stopped) this.timer = setTimeout(() => void this.look(), every).unref()
  }

  stop(): void {
    this.stopped = true
    clearTimeout(this.timer)
  }

  get news(): boolean {
    return this.found !== undefined
  }

  /** Tasks read what has come. */
  async read(): Promise<void> {
    const { found: now } = this
    this.found = undefined
    if (now === undefined) return
    const { parts, share } = this
    const { log, settings } = parts
    const { crew, inputs: before, ends } = share
    const tasks = crew.tasks.map(taskOf)
    const topics = now.subscribed.filter((one) => !before.subscribed.includes(one))
    settings.logger.info({ topics }, 'new inputs')
    const read = async () =>
      Promise.all([newPositions(log, settings.applicationId, before, now, tasks), ends.find(now.ofAll(tasks))])
    let found: Awaited<ReturnType<typeof read>>
    try {
      found = await read()
    } catch (error) {
      // the next look finds them again
      if (mayPass(error)) return
      throw error
    }
    const [positions, bounds] = found
    share.inputs = now
    ends.inputs = now
    await crew.assign(crew.tasks, { ...assignmentOf(share), positions, ends: bounds }, true)
  }

  /** Now, and from time to time. */
  async look(): Promise<void> {
    const { plan, settings, log } = this.parts
    // what is to end takes up nothing new
    if (this.share.ends.all || this.stopped) return
    try {
      const topics = await log.topics()
      if (await grow(this.parts, this.share, topics)) this.hooks.grown()
      const news = newsOf(settings.applicationId, plan, this.share.inputs, topics)
      for (const topic of news.left) {
        if (this.left.has(topic)) continue
        this.left.add(topic)
        settings.logger.warn({ topic }, 'a new topic has more partitions than there are tasks: it is not read')
      }
      this.found = news.inputs
      if (this.found !== undefined) this.hooks.ring()
    } catch (error) {
      // what cannot be asked now is asked later
      if (!mayPass(error)) this.hooks.failed(error)
    }
    this.again()
  }
}
