import { DhaaraError } from '../../errors/index.ts'
import type { ConsumerOptions, OutputRecord, RecordSerde } from '../broker/broker.ts'
import type { FetchedBatch } from '../broker/log.ts'
import { headersText } from '../broker/record-headers.ts'
import type { RemoteLog, RemoteMember, RemoteReader } from '../broker/remote.ts'
import { decodePartitions, shareEvenly } from './share.ts'

type Output<K, V> = OutputRecord<K | null, V | null>

interface Cursor {
  readonly partition: number
  position: number
  committed: number
}

/** A group's positions are committed at least so often, in records. */
const commitEvery = 1000

/**
 * Reads a topic for users' own code, read committed. A record counts as worked on when the next one is asked for; one that
 * the loop was left at is handed out again to the group.
 */
export async function* consume<K, V>(
  topic: string,
  options: ConsumerOptions<K, V>,
  open: () => Promise<RemoteLog>,
): AsyncGenerator<Output<K, V>, undefined, undefined> {
  const { signal, group } = options
  if (signal?.aborted) return
  const log = await open()
  const bell = new Bell()
  const reader = log.reader({ onData: () => bell.ring() })
  const ring = (): void => bell.ring()
  signal?.addEventListener('abort', ring)
  const cursors: Cursor[] = []
  let member: RemoteMember | undefined
  let moved = false
  const commit = async (): Promise<void> => {
    if (member === undefined) return
    const ahead = cursors.filter(({ position, committed }) => position > committed)
    if (ahead.length === 0) return
    const positions = ahead.map(({ partition, position }) => ({ topic, partition, offset: position }))
    await log.commitOffsets(positions, member.membership)
    for (const cursor of ahead) cursor.committed = cursor.position
  }
  const take = async (partitions: readonly number[]): Promise<void> => {
    for (const { partition } of cursors) reader.remove(topic, partition)
    cursors.length = 0
    cursors.push(...(await cursorsOf(log, topic, partitions, options)))
    for (const { partition, position } of cursors) reader.add(topic, partition, position)
  }
  const join = async (joining: RemoteMember): Promise<void> => {
    const joined = await joining.join().catch((error: unknown) => {
      // What it had is read again from what is committed, in any case.
      if (error instanceof DhaaraError && error.code === 'DHAARA_KAFKA_FENCED') return joining.join()
      throw error
    })
    await take(decodePartitions(joined))
    joining.rebalance.then(
      () => {
        moved = true
        bell.ring()
      },
      () => bell.ring(),
    )
  }
  try {
    const [info] = await log.describe([topic])
    if (info === undefined)
      throw new DhaaraError('DHAARA_TOPIC_UNKNOWN', `There is no topic '${topic}'. Create it, or correct the name`)
    if (group === undefined) await take(Array.from({ length: info.partitions }, (_, i) => i))
    else {
      member = log.member({ group, topics: [topic], userData: () => Buffer.alloc(0), assign: shareEvenly(topic, info) })
      await join(member)
    }
    let uncommitted = 0
    while (!signal?.aborted) {
      if (moved && member !== undefined) {
        moved = false
        await commit().catch(() => {})
        await join(member)
      }
      const found = next(reader, topic, cursors)
      if (found === undefined) {
        await commit()
        await bell.wait()
        continue
      }
      const { cursor, batch } = found
      for (let i = 0; i < batch.count && !signal?.aborted && !moved; i++) {
        yield outputOf(topic, cursor.partition, batch, i, options)
        cursor.position = (batch.offsets[i] as number) + 1
        if (++uncommitted >= commitEvery) {
          uncommitted = 0
          await commit()
        }
      }
      if (!moved) cursor.position = Math.max(cursor.position, batch.nextOffset)
    }
  } finally {
    signal?.removeEventListener('abort', ring)
    await commit().catch(() => {})
    await member?.leave()
    await log.release()
  }
}

function next(
  reader: RemoteReader,
  topic: string,
  cursors: Cursor[],
): { cursor: Cursor; batch: FetchedBatch } | undefined {
  for (let i = 0; i < cursors.length; i++) {
    // In turn, so that no partition waits for ever.
    const cursor = cursors.shift() as Cursor
    cursors.push(cursor)
    for (;;) {
      const batch = reader.take(topic, cursor.partition, cursor.position)
      if (batch === undefined) break
      if (batch.count > 0) return { cursor, batch }
      cursor.position = batch.nextOffset
    }
  }
  return undefined
}

async function cursorsOf<K, V>(
  log: RemoteLog,
  topic: string,
  partitions: readonly number[],
  { group, from }: ConsumerOptions<K, V>,
): Promise<Cursor[]> {
  const wanted = partitions.map((partition) => ({ topic, partition }))
  const stored = group === undefined ? wanted.map(() => undefined) : await log.groupOffsets(group, wanted)
  const starts = await log.offsets(wanted, from === 'end' ? 'latest' : 'earliest')
  return partitions.map((partition, i) => {
    const position = stored[i] ?? (starts[i] as number)
    return { partition, position, committed: stored[i] ?? -1 }
  })
}

function outputOf<K, V>(
  topic: string,
  partition: number,
  batch: FetchedBatch,
  i: number,
  { key, value }: ConsumerOptions<K, V>,
): Output<K, V> {
  const { data, keyStart, keyEnd, valueStart, valueEnd, timestamps, offsets, headers } = batch
  const where = `topic '${topic}', partition ${partition}, offset ${offsets[i]}`
  return {
    key: decode('key', key, data, keyStart[i] as number, keyEnd[i] as number, topic, where),
    value: decode('value', value, data, valueStart[i] as number, valueEnd[i] as number, topic, where),
    timestamp: timestamps[i] as number,
    headers: headersText(headers?.[i]),
  }
}

function decode<T>(
  what: string,
  serde: RecordSerde<T> | undefined,
  data: Buffer,
  start: number,
  end: number,
  topic: string,
  where: string,
): T | null {
  if (start < 0) return null
  const bytes = data.subarray(start, end)
  // Without a serde, K is what the caller says: bytes.
  if (serde === undefined) return bytes as T
  try {
    return serde.deserialize(bytes, topic)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new DhaaraError('DHAARA_DESERIALIZE', `The ${what} at ${where} cannot be decoded: ${reason}`, { cause })
  }
}

/** Rung before it is waited for, it does not let anybody wait. */
class Bell {
  #rung = false
  #wake: (() => void) | undefined

  ring(): void {
    this.#rung = true
    this.#wake?.()
  }

  wait(): Promise<void> {
    return new Promise((resolve) => {
      // A process that waits for records is not done.
      const alive = setInterval(() => {}, 2 ** 30)
      this.#wake = () => {
        clearInterval(alive)
        this.#rung = false
        this.#wake = undefined
        resolve()
      }
      if (this.#rung) this.#wake()
    })
  }
}
