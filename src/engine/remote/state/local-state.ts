import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { openRocks, type RocksBackend, type RocksOptions } from '../../../state/backends/index.ts'
import type { StateBackend, WriteBatch } from '../../../state/backend.ts'
import { decodeValue, encodeValue } from '../../../state/codec/index.ts'
import type { Indexes } from '../../query/index.ts'

/** How far the local rows of a changelog's partition go. */
export interface LocalPosition {
  readonly offset: number
  /** Of the topic: another one after it was deleted and made again. */
  readonly topicId: string
  /** When it was written; ms. */
  readonly at: number
}

/** Keys apart from those of state and of logs. */
const space = 0x03
const instanceKey = Buffer.of(space, 0)

/** The rows of changelogs that lie here, as a thread reads and writes them. */
export class LocalRows {
  readonly backend: StateBackend
  /** Kept beside the rows; undefined: there are none, or nobody asks here. */
  indexes: Indexes | undefined

  constructor(backend: StateBackend, indexes?: Indexes) {
    this.backend = backend
    this.indexes = indexes
  }

  position(topic: string, partition: number): LocalPosition | undefined {
    const row = this.backend.get(positionKey(topic, partition))
    return row === undefined ? undefined : (decodeValue(row) as LocalPosition)
  }

  setPosition(batch: WriteBatch, topic: string, partition: number, position: LocalPosition): void {
    batch.put(positionKey(topic, partition), encodeValue(position))
  }

  forgetPosition(topic: string, partition: number): void {
    const batch = this.backend.batch()
    batch.delete(positionKey(topic, partition))
    batch.commit()
  }
}

/** The local copy of the state of this instance's tasks: what the changelogs held at a position. */
export class LocalState extends LocalRows {
  declare readonly backend: RocksBackend
  /** Stays the same as long as the directory does. */
  readonly instance: string
  private readonly remove: () => void

  /** @param dir without it: a temporary directory, and all state is read from the changelogs at each start */
  static async open(dir: string | undefined, options: RocksOptions): Promise<LocalState> {
    const path = dir === undefined ? await mkdtemp(join(tmpdir(), 'dhaara-state-')) : resolve(dir)
    const backend = await openRocks(path, options)
    const remove = (): void => {
      if (dir === undefined) rmSync(path, { recursive: true, force: true })
    }
    return new LocalState(backend, remove)
  }

  private constructor(backend: RocksBackend, remove: () => void) {
    super(backend)
    this.remove = remove
    const known = backend.get(instanceKey)
    this.instance = known === undefined ? randomUUID() : Buffer.from(known).toString()
    if (known !== undefined) return
    const batch = backend.batch()
    batch.put(instanceKey, Buffer.from(this.instance))
    batch.commit({ sync: true })
  }

  /** Rows of so many bytes that are written in order at once are taken at several times the speed. */
  get bulkBytes(): number {
    return this.backend.bulkBytes
  }

  async close(): Promise<void> {
    await this.backend.close()
    this.remove()
  }
}

const positionKey = (topic: string, partition: number): Buffer =>
  Buffer.concat([Buffer.of(space, 1), Buffer.from(`${topic}/${partition}`)])
