import type { OwnedLog } from '../../connectors/broker/log.ts'
import type { Backend } from '../../state/backend.ts'
import type { Sealer } from '../../state/stores/index.ts'

/** What one thread's tasks hand over of an epoch. */
export interface EpochPart {
  readonly frames: readonly { readonly topic: string; readonly partition: number; readonly frame: Buffer }[]
}

/** Brings all that was written so far to the disk. */
export function syncWrites(backend: Backend): void {
  const batch = backend.batch()
  // a batch without anything in it would not be written; no row has this key
  batch.delete(Buffer.of(0))
  batch.commit({ sync: true })
}

/**
 * Writes an epoch as one batch: state, positions, watermarks, output frames with the offsets they are given in that
 * moment. All of it is visible at once, or nothing is.
 *
 * @throws DhaaraError DHAARA_DISK_FULL: nothing of the epoch was kept
 */
export function writeEpoch(
  backend: Backend,
  log: OwnedLog,
  seal: (sealer: Sealer) => void,
  frames: () => EpochPart['frames'],
  sync: boolean,
): { bytes: number; clears: readonly (readonly [Uint8Array, Uint8Array])[] } {
  const batch = backend.batch()
  const transaction = log.begin(batch)
  const clears: [Uint8Array, Uint8Array][] = []
  try {
    seal({
      put: (key, value) => batch.put(key, value),
      delete: (key) => batch.delete(key),
      clearLater: (gte, lt) => void clears.push([gte, lt]),
    })
    for (const { topic, partition, frame } of frames()) transaction.append(topic, partition, frame)
  } catch (error) {
    transaction.rollback()
    throw error
  }
  const { bytes } = batch
  transaction.commit({ sync })
  return { bytes, clears }
}
