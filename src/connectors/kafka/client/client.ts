import type { AnswerMemory } from '../answer-memory.ts'

/**
 * What is asked of a client library: connections to brokers with TLS and SASL as the library does them. What goes through
 * them is written once, in `wire/` and above.
 */
export interface KafkaConnection {
  readonly open: boolean
  /**
   * Sends a request of a flexible version; several may be under way.
   * @returns the answer behind its header, in memory that is used again only where it is given back
   * @throws DhaaraError DHAARA_KAFKA_CONNECT, DHAARA_KAFKA_TIMEOUT: whether the broker carried it out is not known
   */
  send(
    request: { readonly key: number; readonly version: number; readonly name: string },
    body: Buffer,
  ): Promise<Buffer>
  close(): Promise<void>
}

export interface KafkaClient {
  readonly name: ClientName
  /** @throws DhaaraError DHAARA_KAFKA_CONNECT, DHAARA_KAFKA_AUTH */
  connect(host: string, port: number, timeoutMs: number): Promise<KafkaConnection>
  /**
   * For bulk: answers lie in that memory, to which they may be given back.
   * @throws as `connect`
   */
  readonly direct?: (host: string, port: number, timeoutMs: number, memory: AnswerMemory) => Promise<KafkaConnection>
}

export type ClientName = 'platformatic' | 'kafkajs'

export interface TlsOptions {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly rejectUnauthorized?: boolean
}

export type SaslOptions =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
      readonly username: string
      readonly password: string
    }
  | { readonly mechanism: 'oauthbearer'; readonly token: () => Promise<string> }

export interface ClientOptions {
  readonly clientId: string
  readonly ssl?: boolean | TlsOptions | undefined
  readonly sasl?: SaslOptions | undefined
}

/** Of the time for which a login is good: then another connection is to be made. */
export const loginPart = 0.8
/** The one request whose answer never has tagged fields in its header, whatever its version. */
export const apiVersionsKey = 18
/** The one request that has no version with tagged fields. */
export const saslHandshakeKey = 17
