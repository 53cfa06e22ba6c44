import * as apis from './wire/apis.ts'
import { produce } from './wire/produce.ts'
import { atMost } from './wire/schema.ts'

/** What the versions of transactions have of their own; the requests that are not here are the same in both. */
export interface TransactionVersion {
  /**
   * Each end of a transaction gives the producer a new epoch: what was sent before it, and arrives late, is refused. So a transaction
   * may be aborted whatever has become of its batches.
   */
  readonly bumps: boolean
  readonly produce: typeof produce
  readonly txnOffsetCommit: typeof apis.txnOffsetCommit
  readonly endTxn: typeof apis.endTxn
}

const first: TransactionVersion = {
  bumps: false,
  produce: atMost(11, produce),
  txnOffsetCommit: atMost(4, apis.txnOffsetCommit),
  endTxn: atMost(4, apis.endTxn),
}

/** Brokers that were made older under a running transaction get what they know: it then ends without a new epoch. */
const second: TransactionVersion = {
  bumps: true,
  produce,
  txnOffsetCommit: apis.txnOffsetCommit,
  endTxn: apis.endTxn,
}

/**
 * @param level of the feature `transaction.version`
 * @see KIP-890
 */
export const transactionVersionOf = (level: number): TransactionVersion => (level >= 2 ? second : first)
