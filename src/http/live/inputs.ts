import type { TopicPartition } from '../../connectors/broker/remote.ts'
import type { Served } from '../served.ts'
import type { InputTick } from './types.ts'

/** How often brokers are asked where topics end, ms. */
const interval = 2000

/** How far the partitions that are read from outside are, and where they end: on brokers as of some seconds ago. */
export class Inputs implements Disposable {
  private readonly app: Served
  private readonly timer: NodeJS.Timeout
  /** By topic and partition, where topics lie elsewhere. */
  private readonly ends = new Map<string, number>()
  private asking = false

  constructor(app: Served) {
    this.app = app
    this.timer = setInterval(() => void this.ask(), interval)
    this.timer.unref()
  }

  /** Those whose end is known. */
  ticks(): InputTick[] {
    try {
      const log = this.app.log()
      return this.app.positions().flatMap(({ topic, partition, position }) => {
        const end = log === undefined ? this.ends.get(nameOf({ topic, partition })) : log.endOffset(topic, partition)
        if (end === undefined) return []
        // a position is newer than an end that was asked for before
        return [{ topic, partition, position: position ?? null, end: Math.max(end, position ?? 0) }]
      })
    } catch {
      // an app that is starting, or over, has less to tell
      return []
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.timer)
  }

  private async ask(): Promise<void> {
    if (this.asking) return
    this.asking = true
    try {
      const read = this.app.log() === undefined ? this.app.positions() : []
      if (read.length === 0) return
      const found = await this.app.remoteLog()?.offsets(read, 'latest')
      for (const [i, end] of (found ?? []).entries()) this.ends.set(nameOf(read[i] as TopicPartition), end)
    } catch {
      // told as it was known last; who reads the topics tells what is wrong with them
    } finally {
      this.asking = false
    }
  }
}

const nameOf = ({ topic, partition }: TopicPartition): string => `${partition}/${topic}`
