import type { FetchedBatch } from '../../connectors/broker/index.ts'
import type { WireBatch } from '../../connectors/embedded/index.ts'

/** Records that came from the owner of a directory, as if they were fetched. */
export function wireBatch(topic: string, wire: WireBatch): FetchedBatch {
  const { partition, keys, values, headers } = wire
  const count = keys.length
  const parts: Uint8Array[] = []
  let at = 0
  const place = (all: readonly (Uint8Array | null)[]): readonly [Int32Array, Int32Array] => {
    const [starts, ends] = [new Int32Array(count), new Int32Array(count)]
    for (const [i, bytes] of all.entries()) {
      starts[i] = bytes === null ? -1 : at
      if (bytes !== null) parts.push(bytes)
      at += bytes?.length ?? 0
      ends[i] = at
    }
    return [starts, ends]
  }
  const [keyStart, keyEnd] = place(keys)
  const [valueStart, valueEnd] = place(values)
  return {
    topic,
    partition,
    count,
    data: Buffer.concat(parts),
    keyStart,
    keyEnd,
    valueStart,
    valueEnd,
    timestamps: Float64Array.from(wire.timestamps),
    offsets: Float64Array.from(wire.offsets),
    nextOffset: (wire.offsets.at(-1) ?? -1) + 1,
    ...(headers === undefined ? {} : { headers }),
  }
}
