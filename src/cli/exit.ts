import { CommanderError } from 'commander'
import { DhaaraError } from '../errors/index.ts'

/** What the command's exit codes mean. */
export const exitCode = {
  done: 0,
  /** The job, or what the command was to do, failed. */
  failed: 1,
  /** Wrong usage, or a topology that was refused: nothing was begun. */
  refused: 2,
  /** SIGINT, after a clean close. */
  interrupted: 130,
  /** SIGTERM, after a clean close. */
  terminated: 143,
} as const

/** The exit code for an error that came before anything was begun. */
export function codeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.done : exitCode.refused
  const refused = error instanceof DhaaraError && error.domain === 'user' && error.code !== 'DHAARA_USER_CODE'
  return refused ? exitCode.refused : exitCode.failed
}
