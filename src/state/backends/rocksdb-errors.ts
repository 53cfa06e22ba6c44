import { DhaaraError } from '../../errors/index.ts'

/** What a native error means here, with what to do; errors of ours pass as they are. */
export function rocksdbError(cause: unknown, path: string): DhaaraError {
  if (cause instanceof DhaaraError) return cause
  const { code, message } = cause as { code?: string; message: string }
  if (/no space left|disk quota exceeded|file too large/i.test(message)) {
    return new DhaaraError('DHAARA_DISK_FULL', `No room is left for ${path}. Free some space and start again`, {
      cause,
    })
  }
  if (code === 'LEVEL_LOCKED') {
    return new DhaaraError('DHAARA_STATE_LOCKED', `${path} is in use. Stop the app that holds it, or choose another`, {
      cause,
    })
  }
  if (code === 'LEVEL_CORRUPTION' || /corrupt|no such file/i.test(message)) {
    return new DhaaraError(
      'DHAARA_STATE_CORRUPT',
      `${path} is damaged: ${message}. Restore it from a savepoint or remove it`,
      { cause },
    )
  }
  return new DhaaraError('DHAARA_STATE_IO', `${path} could not be read or written: ${message}`, { cause })
}
