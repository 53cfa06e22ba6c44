import { nowhere } from '../../runtime/inputs/places.ts'

/** A record that waits for its time. */
export class Guest {
  ts: number
  /** Order of arrival. */
  seq: number
  key: unknown
  value: unknown
  /** Its source record, see places.ts. */
  place: number
  origin: number
  /** Its row lies in the database. */
  stored = false

  constructor(ts = 0, seq = 0, key: unknown = undefined, value: unknown = undefined, place = nowhere, origin = -1) {
    this.ts = ts
    this.seq = seq
    this.key = key
    this.value = value
    this.place = place
    this.origin = origin
  }
}
