import type { Broker } from '../../../src/index.ts'

/** Between the load and a broker. */
export interface Link extends AsyncDisposable {
  readonly broker: Broker
  /** Hands over values; resolves when the broker has them. */
  send(values: readonly string[]): Promise<void>
  /** Calls back with each row, once it can be read as committed. */
  listen(onRow: (text: string) => void): Promise<void>
}

export const topics = { input: 'orders', output: 'totals' }
