import type { Repartition } from '../../plan/physical.ts'
import type { ChannelFeed } from '../inputs/feed.ts'
import type { RemoteOutlet } from './remote-outlet.ts'

/** What carries repartitioned records to and from tasks that are not of this group: other threads, other processes. */
export interface Links {
  /** undefined: the consumer is a task of this group. */
  outlet(repartition: Repartition, producer: number, consumer: number): RemoteOutlet | undefined
  /** Gives its number; undefined: the producer is a task of this group. @param waiting for another input: then nothing is held back */
  inlet(
    repartition: Repartition,
    producer: number,
    consumer: number,
    feed: ChannelFeed,
    waiting: () => boolean,
  ): number | undefined
  /** Takes in all that has come. Returns whether anything has. */
  receive(): boolean
  /** Sends what tasks have left here. */
  flush(): void
  /** Right after the tasks were sealed. */
  seal(): void
}
