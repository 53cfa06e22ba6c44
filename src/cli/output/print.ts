import { DhaaraError } from '../../errors/index.ts'

let watched = false

/** Writes to standard output, and waits until it is taken. A reader that has gone (`| head`) is no error. @throws DhaaraError DHAARA_OUTPUT */
export function print(text: string | Uint8Array): Promise<void> {
  const { stdout } = process
  // what a write gets is told to its callback, too
  if (!watched) stdout.on('error', () => {})
  watched = true
  return new Promise((resolve, reject) => {
    stdout.write(text, (cause) => {
      if (cause === undefined || cause === null || isGone(cause)) resolve()
      else reject(outputError('standard output', cause))
    })
  })
}

/** Is it that nobody reads any more? */
export function isGone(cause: Error): boolean {
  const { code } = cause as NodeJS.ErrnoException
  return code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED'
}

export function outputError(name: string, cause: Error): DhaaraError {
  const text = `${name} could not be written: ${cause.message}. Make room or name another output, and run it again`
  return new DhaaraError('DHAARA_OUTPUT', text, { cause })
}
