import type { LogReader } from '../../../../src/connectors/broker/log-reader.ts'
import { packFrame } from '../../../../src/connectors/broker/packed-frame.ts'
import { EmbeddedLog } from '../../../../src/connectors/embedded/log.ts'
import type { Backend } from '../../../../src/state/backend.ts'
import { frameOf, frameOfValues, type PlainRecord, recordsOf } from '../../broker/records.ts'
import { backends, temporaryDirectories } from '../backends.ts'

/** A log over a back end, with a clock of its own. */
export class LogAtHand {
  backend!: Backend
  log!: EmbeddedLog
  now = 0

  open(backend: Backend): void {
    this.backend = backend
    this.now = 1_000_000
    this.reopen()
  }

  reopen(): void {
    this.log = new EmbeddedLog(this.backend, { now: () => this.now })
  }

  append(topic: string, partition: number, ...values: (string | null)[]): number {
    const transaction = this.log.begin(this.backend.batch())
    const base = transaction.append(topic, partition, frameOfValues(...values))
    transaction.commit()
    return base
  }

  appendKeyed(topic: string, pairs: [key: string | null, value: string | null][]): void {
    const transaction = this.log.begin(this.backend.batch())
    transaction.append(topic, 0, frameOf(pairs.map(([key, value]) => ({ key, value, timestamp: 7 }))))
    transaction.commit()
  }

  /** In a compressed frame. */
  appendPacked(topic: string, keys: readonly string[], value: string): void {
    const plain = frameOf(keys.map((key) => ({ key, value, timestamp: 7 })))
    const transaction = this.log.begin(this.backend.batch())
    transaction.append(topic, 0, packFrame(plain, 2, (bytes) => new ArrayBuffer(bytes)) as Buffer)
    transaction.commit()
  }

  /** Offsets and records, by single fetches. */
  all(topic: string, partition = 0, reader: LogReader = this.log): [offset: number, record: PlainRecord][] {
    const found: [number, PlainRecord][] = []
    for (let offset = 0; ; ) {
      const batch = reader.fetch(topic, partition, offset)
      if (batch === undefined) return found
      recordsOf(batch).forEach((record, i) => found.push([batch.offsets[i]!, record]))
      offset = batch.nextOffset
    }
  }

  values(topic: string, partition = 0, reader: LogReader = this.log): (string | null)[] {
    return this.all(topic, partition, reader).map(([, record]) => record.value)
  }

  /** Until there is nothing to tidy up. */
  settle(): void {
    while (this.log.maintain(this.now)) {
      // one bounded step after the other
    }
  }
}

/** The same tests on each back end, each with a fresh log at hand. */
export function describeLog(what: string, tests: (hand: LogAtHand) => void): void {
  for (const [kind, open] of backends) {
    describe(`EmbeddedLog on ${kind}: ${what}`, () => {
      const directory = temporaryDirectories()
      const hand = new LogAtHand()
      beforeEach(async () => hand.open(await open(directory)))
      afterEach(() => hand.backend.close())
      tests(hand)
    })
  }
}
