import { createHash, type Hash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { StoreIds } from '../../engine/app/state/identity.ts'
import { DhaaraError } from '../../errors/index.ts'
import type { Backend, WriteBatch } from '../../state/backend.ts'
import { statePrefix } from '../../state/stores/index.ts'

/** How far a file was appended to its topic: written with the records themselves. */
export interface InputProgress {
  readonly bytes: number
  readonly lines: number
  /** Of these bytes, hexadecimal. */
  readonly sha256: string
  /** The last line had no line break. */
  readonly open: boolean
}

/** No app can have this name. */
export const ownStores = '$cli'

/** Progress of input files, a row a topic, in the directory. */
export class ProgressRows {
  readonly #backend: Backend
  readonly #prefix: Buffer

  /** To be made before an app starts on the directory, since it may take an id for its rows. */
  constructor(backend: Backend) {
    this.#backend = backend
    this.#prefix = statePrefix(new StoreIds(backend, ownStores).idOf('inputs'), 0)
  }

  get(topic: string): InputProgress | undefined {
    const row = this.#backend.get(this.#key(topic))
    return row === undefined ? undefined : (JSON.parse(Buffer.from(row).toString()) as InputProgress)
  }

  put(batch: WriteBatch, topic: string, progress: InputProgress): void {
    batch.put(this.#key(topic), Buffer.from(JSON.stringify(progress)))
  }

  delete(batch: WriteBatch, topic: string): void {
    batch.delete(this.#key(topic))
  }

  #key(topic: string): Buffer {
    return Buffer.concat([this.#prefix, Buffer.from(topic)])
  }
}

/**
 * The hash of the part of a file that was read in an earlier run.
 *
 * @throws DhaaraError DHAARA_INPUT_CHANGED if that part is not what it was
 */
export async function checkedPrefix(file: string, topic: string, progress: InputProgress): Promise<Hash> {
  const hash = createHash('sha256')
  const handle = await open(file, 'r')
  try {
    const buffer = Buffer.allocUnsafeSlow(1 << 20)
    let at = 0
    while (at < progress.bytes) {
      const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, progress.bytes - at), at)
      if (bytesRead === 0) throw changed(file, topic, `it had ${progress.bytes} bytes and has ${at}`)
      hash.update(buffer.subarray(0, bytesRead))
      at += bytesRead
    }
    if (hash.copy().digest('hex') !== progress.sha256) throw changed(file, topic, 'these lines are not what they were')
    if (!progress.open) return hash
    const { bytesRead } = await handle.read(buffer, 0, 2, at)
    const next = buffer.subarray(0, bytesRead).toString('latin1')
    if (next === '' || next.startsWith('\n') || next === '\r\n') return hash
    throw changed(file, topic, 'its last line went on')
  } finally {
    await handle.close()
  }

  function changed(name: string, of: string, what: string): DhaaraError {
    return new DhaaraError(
      'DHAARA_INPUT_CHANGED',
      `${name} has changed where topic '${of}' has it already (lines 0 to ${progress.lines - 1}): ${what}. ` +
        `Give the file back its first ${progress.bytes} bytes, or run with another --dir`,
    )
  }
}
