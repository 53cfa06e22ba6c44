import type { EmbeddedLease } from '../broker/broker.ts'
import type { DeadLetter, LetterFilter, LetterPage, LetterState, LettersDone } from '../broker/dead-letter.ts'
import { FrameBuilder } from '../broker/frame-builder.ts'
import { bytesAt, chosenFrom, fits, letterAt, replayedHeader, textOf } from '../broker/letter.ts'
import type { RecordHeaders } from '../broker/log.ts'

type Owner = Pick<EmbeddedLease, 'backend' | 'log' | 'ensureTopic'>

/**
 * The dead letters of one topic, and what was done with each: a second topic, `<topic>-done`, holds a mark for each letter that was
 * replayed or dropped. A replay appends the record to its input and the mark in one commit, by the only process that writes: a
 * letter is replayed once, whoever asks and whatever crashes.
 */
class DeadLetters {
  private readonly owner: Owner
  private readonly topic: string
  private readonly marks = new Map<number, LetterState>()
  private marked = 0

  constructor(owner: Owner, topic: string) {
    this.owner = owner
    this.topic = topic
  }

  /** Newest first. */
  list(filter: LetterFilter = {}, limit = 100, before = Number.POSITIVE_INFINITY): LetterPage {
    const letters: DeadLetter[] = []
    for (const letter of this.newestFirst(before)) {
      if (!fits(letter, filter)) continue
      if (letters.length === limit) return { letters, before: (letters.at(-1) as DeadLetter).offset }
      letters.push(letter)
    }
    return { letters }
  }

  /** Puts the records back into their inputs, oldest first, at the end of the partition that they came from. */
  replay(filter: LetterFilter): LettersDone {
    const { log } = this.owner
    const { chosen, refused: before } = this.open(filter)
    const refused = [...before]
    const frames = new Map<string, { topic: string; partition: number; builder: FrameBuilder }>()
    const done: DeadLetter[] = []
    for (const letter of chosen) {
      const { topic, partition, offset } = letter
      const partitions = log.topic(topic)?.partitions
      if (partitions === undefined || partition >= partitions) {
        refused.push({ offset, why: `there is no partition ${partition} of a topic '${topic}'` })
        continue
      }
      const id = `${partition}/${topic}`
      const frame = frames.get(id) ?? { topic, partition, builder: new FrameBuilder() }
      frames.set(id, frame)
      const { key, value, timestamp, headers } = this.original(letter)
      frame.builder.add(key, value, timestamp, [...headers, [replayedHeader, Buffer.from(`${this.topic}/${offset}`)]])
      done.push(letter)
    }
    this.commit(done, 'replayed', [...frames.values()])
    return { done: done.length, refused }
  }

  /** They are done with; they stay in the topic. */
  drop(filter: LetterFilter): LettersDone {
    const { chosen, refused } = this.open(filter)
    this.commit(chosen, 'dropped', [])
    return { done: chosen.length, refused }
  }

  private open(filter: LetterFilter): ReturnType<typeof chosenFrom> {
    return chosenFrom([...this.newestFirst(Number.POSITIVE_INFINITY)].reverse(), filter)
  }

  private commit(
    letters: readonly DeadLetter[],
    state: LetterState,
    frames: readonly { topic: string; partition: number; builder: FrameBuilder }[],
  ): void {
    if (letters.length === 0) return
    const { log, backend } = this.owner
    if (log.topic(this.doneTopic) === undefined) log.createTopic(this.doneTopic, 1)
    const transaction = log.begin(backend.batch())
    try {
      for (const { topic, partition, builder } of frames) transaction.append(topic, partition, builder.finish())
      const marks = new FrameBuilder()
      for (const { offset } of letters) marks.add(Buffer.from(String(offset)), Buffer.from(state), Date.now())
      transaction.append(this.doneTopic, 0, marks.finish())
      transaction.commit({ sync: true })
    } catch (error) {
      transaction.rollback()
      throw error
    }
  }

  /** As it lies in its input, if it is still there: a letter from behind a change of key has another key. */
  private original(letter: DeadLetter): Pick<DeadLetter, 'key' | 'value' | 'timestamp'> & { headers: RecordHeaders } {
    const { topic, partition, position, key, value, timestamp } = letter
    const batch = position < 0 ? undefined : this.owner.log.fetch(topic, partition, position)
    const at = batch === undefined ? -1 : batch.offsets.subarray(0, batch.count).indexOf(position)
    if (batch !== undefined && at >= 0) {
      const headers = batch.headers?.[at] ?? []
      return { ...bytesAt(batch, at), timestamp: batch.timestamps[at] as number, headers }
    }
    const headers = Object.entries(letter.headers).map(([name, text]) => [name, Buffer.from(text)] as const)
    return { key, value, timestamp, headers }
  }

  private get doneTopic(): string {
    return `${this.topic}-done`
  }

  private readMarks(): void {
    const { log } = this.owner
    if (log.topic(this.doneTopic) === undefined) return
    for (let batch = log.fetch(this.doneTopic, 0, this.marked); batch !== undefined; ) {
      for (let i = 0; i < batch.count; i++) {
        const { key, value } = bytesAt(batch, i)
        this.marks.set(Number(textOf(key)), textOf(value) as LetterState)
      }
      this.marked = batch.nextOffset
      batch = log.fetch(this.doneTopic, 0, this.marked)
    }
  }

  private *newestFirst(before: number): Generator<DeadLetter> {
    const { log } = this.owner
    if (log.topic(this.topic) === undefined) return
    this.readMarks()
    const start = log.startOffset(this.topic, 0)
    const step = 256
    for (let end = Math.min(before, log.endOffset(this.topic, 0)); end > start; end -= step) {
      const low = Math.max(start, end - step)
      const found: DeadLetter[] = []
      for (let at = low; at < end; ) {
        const batch = log.fetch(this.topic, 0, at)
        if (batch === undefined) break
        for (let i = 0; i < batch.count; i++) {
          const offset = batch.offsets[i] as number
          if (offset >= at && offset < end) found.push(letterAt(batch, i, this.marks.get(offset) ?? 'open'))
        }
        at = batch.nextOffset
      }
      yield* found.reverse()
    }
  }
}

/** One object a topic: it remembers the marks it has read. */
export function lettersOf(owner: Owner): (topic: string) => DeadLetters {
  const known = new Map<string, DeadLetters>()
  return (topic) => {
    let letters = known.get(topic)
    if (letters === undefined) known.set(topic, (letters = new DeadLetters(owner, topic)))
    return letters
  }
}
