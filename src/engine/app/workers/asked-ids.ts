import type { Asker } from './ask.ts'
import type { TopicSlot } from './worker-protocol.ts'

/** What a worker asks its owner once: how many partitions a topic has, what a store's id is. */
export class AskedIds {
  private readonly asker: Asker
  private readonly partitions = new Map<string, number>()
  private readonly stores = new Map<string, number>()

  constructor(asker: Asker) {
    this.asker = asker
  }

  /** What the owner has told without being asked. */
  know(topics: readonly TopicSlot[], stores: readonly (readonly [name: string, id: number])[] = []): void {
    for (const { name, partitions } of topics) this.partitions.set(name, partitions)
    for (const [name, id] of stores) this.stores.set(name, id)
  }

  /** Of a topic, which is made if it is not there. */
  partitionsOf(topic: string): number {
    const known = this.partitions.get(topic)
    if (known !== undefined) return known
    const partitions = this.asker.ask({ type: 'ensureTopic', name: topic }) as number
    this.partitions.set(topic, partitions)
    return partitions
  }

  storeId(name: string): number {
    const known = this.stores.get(name)
    if (known !== undefined) return known
    const id = this.asker.ask({ type: 'storeId', name }) as number
    this.stores.set(name, id)
    return id
  }
}
