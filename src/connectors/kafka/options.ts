import type { ClientName, SaslOptions, TlsOptions } from './client/index.ts'

export interface KafkaBrokerOptions {
  /** `host:port` of some of them; the others are found. */
  readonly brokers: readonly string[]
  /** The library that connects; default: the first of the two that is installed. */
  readonly client?: ClientName
  readonly ssl?: boolean | TlsOptions
  readonly sasl?: SaslOptions
  /** Names us in the brokers' logs and quotas; default 'dhaara'. */
  readonly clientId?: string
  /** How long an instance may be silent before others take its tasks, ms; default 10000. */
  readonly sessionTimeout?: number
  /** Of topics made here; default: the brokers' own. */
  readonly replicationFactor?: number
}
