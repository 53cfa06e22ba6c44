import type { PartTable, Sealer } from '../../../state/stores/index.ts'
import { RowReader, RowWriter } from '../../cep/row.ts'
import type { EventCodec } from '../../cep/index.ts'
import { nowhere, placeNames, placesNamed } from '../../runtime/inputs/places.ts'
import { Guest } from './guest.ts'

const writer = new RowWriter()

/** Rows of records that wait, in order: key, value, the topic partition of the source record, its offset + 1. */
export function* guestRows(table: PartTable, codec: EventCodec): Generator<Guest> {
  for (const [ts, seq, row] of table.timed()) {
    const reader = new RowReader(row)
    const key = table.space.keys.decode(reader.bytes())
    const value = codec.decode(reader.bytes())
    const [place = nowhere] = placesNamed(Buffer.from(reader.bytes()).latin1Slice())
    yield new Guest(ts, seq, key, value, place, reader.int() - 1)
  }
}

export function writeGuests(guests: readonly Guest[], table: PartTable, codec: EventCodec, sealer: Sealer): void {
  for (const { ts, seq, key, value, place, origin } of guests) {
    writer
      .reset()
      .bytes(table.space.keys.encode(key))
      .bytes(codec.encode(value))
      .bytes(placeNames([place]))
      .int(origin + 1)
    sealer.put(table.timedKey(ts, seq), writer.view())
  }
}
