import type { Broker } from '../../../src/index.ts'

/** @param rows see `row.ts` @param at when they could be read as committed, epoch ms */
export type OnRows = (rows: Float64Array, at: number) => void

/** Between the load and a broker. */
export interface Link extends AsyncDisposable {
  readonly broker: Broker
  /**
   * The engine is to group by what the records' keys are already. On a cluster a change of key goes through a topic, whose records
   * are read when they are committed: a second interval, of which this is no measure.
   */
  readonly keyed: boolean
  /** Hands over values, each with its key; resolves when the broker has them. */
  send(keys: readonly string[], values: readonly string[]): Promise<void>
  /** Calls back with rows, once they can be read as committed; from the topic's beginning on. */
  listen(onRows: OnRows): Promise<void>
}

export const topics = { input: 'orders', output: 'totals' }
