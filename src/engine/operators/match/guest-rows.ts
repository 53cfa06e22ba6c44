import type { PartTable, Sealer } from '../../../state/stores/index.ts'
import { RowReader, RowWriter } from '../../cep/row.ts'
import type { EventCodec } from '../../cep/index.ts'
import type { Guest } from './waiting-room.ts'

const writer = new RowWriter()

/** Rows of records that wait: key, value. */
export function* guestRows(
  table: PartTable,
  codec: EventCodec,
): Generator<{ readonly ts: number; readonly seq: number; readonly key: unknown; readonly value: unknown }> {
  for (const [ts, seq, row] of table.timed()) {
    const reader = new RowReader(row)
    yield { ts, seq, key: table.space.keys.decode(reader.bytes()), value: codec.decode(reader.bytes()) }
  }
}

export function writeGuests(guests: readonly Guest[], table: PartTable, codec: EventCodec, sealer: Sealer): void {
  for (const guest of guests) {
    const { ts, seq, key, value } = guest
    writer.reset().bytes(table.space.keys.encode(key)).bytes(codec.encode(value))
    sealer.put(table.timedKey(ts, seq), writer.copy())
    guest.stored = true
  }
}
