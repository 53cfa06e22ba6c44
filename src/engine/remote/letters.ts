import {
  FrameBuilder,
  type DeadLetter,
  type LetterFilter,
  type LetterPage,
  type LettersDone,
  type LetterState,
} from '../../connectors/broker/index.ts'
import { readFrames } from '../../connectors/broker/frame.ts'
import { bytesAt, chosenFrom, fits, letterAt, replayedHeader, textOf } from '../../connectors/broker/letter.ts'
import type { FetchedBatch } from '../../connectors/broker/log.ts'
import type { RemoteLog, RemoteWriter } from '../../connectors/broker/remote.ts'
import { readRange } from './read-range.ts'

/**
 * Dead letters on a cluster, and what was done with each, as beside the embedded log: marks in `<topic>-done`. A replay sends the
 * records and the marks in one transaction, whose id is the topic's: of two that run at once the older is fenced, and the marks
 * are read behind that. So a letter is replayed once.
 */
export class RemoteLetters {
  readonly #log: RemoteLog

  constructor(log: RemoteLog) {
    this.#log = log
  }

  /** Newest first. */
  async list(
    from: string,
    filter: LetterFilter = {},
    limit = 100,
    before = Number.POSITIVE_INFINITY,
  ): Promise<LetterPage> {
    const all = await this.#letters(from)
    const found = all.filter((letter) => letter.offset < before && fits(letter, filter)).reverse()
    const letters = found.slice(0, limit)
    return found.length <= limit ? { letters } : { letters, before: (letters.at(-1) as DeadLetter).offset }
  }

  replay(from: string, filter: LetterFilter): Promise<LettersDone> {
    return this.#change(from, filter, 'replayed', async (letters, writer) => {
      const counts = new Map((await this.#log.topics()).map(({ name, partitions }) => [name, partitions]))
      const refused: { offset: number; why: string }[] = []
      const done: DeadLetter[] = []
      for (const letter of letters) {
        const { topic, partition, offset } = letter
        if (partition < 0 || partition >= (counts.get(topic) ?? 0)) {
          refused.push({ offset, why: `there is no partition ${partition} of a topic '${topic}'` })
          continue
        }
        await this.#putBack(writer, from, letter)
        done.push(letter)
      }
      return { done, refused }
    })
  }

  drop(from: string, filter: LetterFilter): Promise<LettersDone> {
    return this.#change(from, filter, 'dropped', async (done) => ({ done, refused: [] }))
  }

  async #change(
    from: string,
    filter: LetterFilter,
    state: LetterState,
    act: (
      letters: readonly DeadLetter[],
      writer: RemoteWriter,
    ) => Promise<{ done: readonly DeadLetter[]; refused: LettersDone['refused'] }>,
  ): Promise<LettersDone> {
    const marks = doneTopic(from)
    if ((await this.#log.describe([marks])).length === 0)
      await this.#log.createTopics([{ name: marks, partitions: 1, configs: { 'retention.ms': '-1' } }])
    const writer = this.#log.writer({ transactionalId: marks })
    await writer.init()
    try {
      const { chosen, refused: before } = chosenFrom(await this.#letters(from), filter)
      const { done, refused } = await act(chosen, writer)
      const builder = new FrameBuilder()
      for (const { offset } of done) builder.add(Buffer.from(String(offset)), Buffer.from(state), Date.now())
      if (done.length > 0) await send(writer, marks, 0, builder)
      await writer.commit([], undefined)
      return { done: done.length, refused: [...before, ...refused] }
    } catch (error) {
      await writer.abort().catch(() => {})
      throw error
    } finally {
      await writer.close()
    }
  }

  /** As it lies in its input, if it is still there: a letter from behind a change of key has another key. */
  async #putBack(writer: RemoteWriter, from: string, letter: DeadLetter): Promise<void> {
    const { topic, partition, position, offset } = letter
    const builder = new FrameBuilder()
    const mark = [replayedHeader, Buffer.from(`${from}/${offset}`)] as const
    const [batch, at] = await this.#recordAt(topic, partition, position)
    if (batch === undefined) {
      const headers = Object.entries(letter.headers).map(([name, text]) => [name, Buffer.from(text)] as const)
      builder.add(letter.key, letter.value, letter.timestamp, [...headers, mark])
    } else {
      const { key, value } = bytesAt(batch, at)
      builder.add(key, value, batch.timestamps[at] as number, [...(batch.headers?.[at] ?? []), mark])
    }
    await send(writer, topic, partition, builder)
  }

  async #recordAt(
    topic: string,
    partition: number,
    position: number,
  ): Promise<readonly [FetchedBatch | undefined, number]> {
    const where = [{ topic, partition }]
    const [start = 0] = await this.#log.offsets(where, 'earliest')
    const [end = 0] = await this.#log.offsets(where, 'latest', true)
    if (position < start || position >= end) return [undefined, -1]
    for await (const batch of readRange(this.#log, topic, partition, position, position + 1)) {
      const at = batch.offsets.subarray(0, batch.count).indexOf(position)
      return at < 0 ? [undefined, -1] : [batch, at]
    }
    return [undefined, -1]
  }

  /** Oldest first. */
  async #letters(from: string): Promise<DeadLetter[]> {
    const marks = new Map<number, LetterState>()
    for await (const batch of this.#all(doneTopic(from)))
      for (let i = 0; i < batch.count; i++) {
        const { key, value } = bytesAt(batch, i)
        marks.set(Number(textOf(key)), textOf(value) as LetterState)
      }
    const letters: DeadLetter[] = []
    for await (const batch of this.#all(from))
      for (let i = 0; i < batch.count; i++)
        letters.push(letterAt(batch, i, marks.get(batch.offsets[i] as number) ?? 'open'))
    return letters
  }

  async *#all(topic: string): AsyncGenerator<FetchedBatch> {
    if ((await this.#log.describe([topic])).length === 0) return
    const [start = 0] = await this.#log.offsets([{ topic, partition: 0 }], 'earliest')
    // what was committed a moment ago may not be marked as such yet: it is waited for
    const [end = 0] = await this.#log.offsets([{ topic, partition: 0 }], 'latest', true)
    yield* readRange(this.#log, topic, 0, start, end)
  }
}

const doneTopic = (letters: string): string => `${letters}-done`

async function send(writer: RemoteWriter, topic: string, partition: number, builder: FrameBuilder): Promise<void> {
  const rows = readFrames(topic, partition, [builder.finish()], Number.NEGATIVE_INFINITY)
  if (rows !== undefined) await writer.send(topic, partition, rows)
}
