import type { Declaration } from './options.ts'

/** What a connector says of itself: `dhaara connectors` and docs/connectors.md show it. */
export interface ConnectorInfo {
  /** The function that makes it. */
  readonly name: string
  readonly role: 'source' | 'sink' | 'server'
  readonly about: string
  /** How exact it is, and why. */
  readonly guarantee: string
  /** What must be installed beside dhaara. */
  readonly peer?: string
  readonly options: Pick<Declaration<any>, 'rows'>
}
