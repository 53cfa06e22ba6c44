import { pino } from 'pino'
import type { Logger } from '../engine/app/settings/logger.ts'
import { DhaaraError } from '../errors/index.ts'

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/**
 * JSON lines by pino.
 *
 * @param write takes whole lines
 * @param quietly leaves out the failure of an app, which the command prints itself
 */
export function createLogger(level: LogLevel, write: (line: string) => void, quietly: boolean): Logger {
  const logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, { write })
  if (!quietly) return logger as Logger
  return {
    debug: (o, msg) => logger.debug(o, msg),
    info: (o, msg) => logger.info(o, msg),
    warn: (o, msg) => logger.warn(o, msg),
    error: (o, msg) => {
      const { err } = o as { readonly err?: unknown }
      if (!(err instanceof DhaaraError && err.message === msg)) logger.error(o, msg)
    },
    child: (bindings) => logger.child(bindings) as Logger,
  }
}
