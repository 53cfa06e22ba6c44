/** Structured logs; pino fits. */
export interface Logger {
  debug(o: object, msg?: string): void
  info(o: object, msg?: string): void
  warn(o: object, msg?: string): void
  error(o: object, msg?: string): void
  child?(bindings: object): Logger
}

/** Says nothing: the default of apps in code; the command line logs to standard error. */
export const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} }
