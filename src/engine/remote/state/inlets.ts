import type { BackendReader } from '../../../state/backend.ts'
import { decodeValue, encodeValue } from '../../../state/codec/index.ts'
import { type Sealer, statePrefix } from '../../../state/stores/index.ts'
import type { ChangelogRows } from './changelog.ts'

/** Where the positions in repartition topics lie: by topic, in a store of each sub-topology. */
export const inletStore = '$inlets'

/** A partition of a repartition topic, as the task of a sub-topology reads it. */
export interface Inlet {
  readonly sub: number
  readonly topic: string
  readonly partition: number
}

/** How far it was read, as of the last epoch; undefined: no epoch has noted it yet. */
export function inletPosition(reader: BackendReader, rows: ChangelogRows, inlet: Inlet): number | undefined {
  const row = reader.get(keyOf(rows, inlet))
  return row === undefined ? undefined : (decodeValue(row) as number)
}

export function putInlet(sealer: Sealer, rows: ChangelogRows, inlet: Inlet, position: number): void {
  sealer.put(keyOf(rows, inlet), encodeValue(position))
}

function keyOf(rows: ChangelogRows, { sub, topic, partition }: Inlet): Buffer {
  return Buffer.concat([statePrefix(rows.idOf(inletStore, sub), partition), Buffer.from(topic)])
}
