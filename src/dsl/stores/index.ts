export type {
  KeyRanges,
  KeyValueReader,
  KeyValueStore,
  ListStore,
  Ordered,
  PrefixOf,
  StoreOf,
  VersionedStore,
  WindowStore,
} from './access.ts'
export { storeVault, tableHandle } from './content.ts'
export type {
  Decoded,
  KeyValueHandle,
  ListHandle,
  OrderFrom,
  StoreDefinition,
  StoreHandle,
  TableHandle,
  TableStoreHandle,
  VersionedHandle,
  WindowHandle,
} from './handles.ts'
export { type GivenStore, storeSpec, windowStoreKind } from './spec.ts'
export { stores } from './stores.ts'
