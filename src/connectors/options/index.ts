export type { ConnectorInfo } from './connector.ts'
export {
  count,
  declare,
  flag,
  fn,
  object,
  oneOf,
  type OptionRow,
  type OptionsOf,
  period,
  some,
  text,
  texts,
} from './options.ts'
export { loadPeer } from './peer.ts'
export { requirePeer } from './require-peer.ts'
