import { constants, lstatSync, realpathSync } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { DhaaraError } from '../../errors/index.ts'
import { isGone, outputError, print } from './print.ts'

/** Where lines go. */
export interface Target {
  write(lines: Buffer): Promise<void>
  /** `whole`: all that was to come has come. */
  close(whole: boolean): Promise<void>
}

/**
 * A file that is replaced. `atOnce`: only when all of it is there; until then the old one stays. Devices and pipes are
 * written as they are.
 *
 * @throws DhaaraError DHAARA_OPTION if it cannot be written
 */
export async function fileTarget(path: string, atOnce: boolean): Promise<Target> {
  const existing = lstatSync(path, { throwIfNoEntry: false })
  const file = existing?.isSymbolicLink() ? realpathSync(path) : path
  const special = existing !== undefined && !(lstatSync(file).isFile() || lstatSync(file).isDirectory())
  const written = atOnce && !special ? `${file}.${process.pid}.tmp` : file
  let handle: FileHandle
  try {
    const { O_WRONLY, O_CREAT, O_TRUNC, O_APPEND } = constants
    if (lstatSync(file, { throwIfNoEntry: false })?.isDirectory()) throw new Error(`${file} is a directory`)
    handle = await open(written, special ? O_WRONLY | O_APPEND : O_WRONLY | O_CREAT | O_TRUNC)
  } catch (cause) {
    throw new DhaaraError('DHAARA_OPTION', `the output ${path} cannot be written: ${(cause as Error).message}`, {
      cause,
    })
  }
  return {
    async write(lines) {
      try {
        for (let at = 0; at < lines.length; ) at += (await handle.write(lines, at)).bytesWritten
      } catch (cause) {
        throw outputError(`the output ${path}`, cause as Error)
      }
    },
    async close(whole) {
      await handle.close()
      if (written === file) return
      if (whole) await rename(written, file)
      else await rm(written, { force: true })
    },
  }
}

/** Standard output. A reader that goes away (`| head`) is told by `gone`, once, and no error. */
export function standardOutput(gone: () => void): Target {
  process.stdout.once('error', (cause) => {
    if (isGone(cause)) gone()
  })
  return { write: print, close: async () => {} }
}
