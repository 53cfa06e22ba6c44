import type { StoreSpec } from '../plan/index.ts'
import { Vault } from '../vault.ts'
import type { StoreHandle } from './handles.ts'

/** `owned`: of a table, whose step declares it. */
export interface StoreContent {
  readonly spec: StoreSpec
  readonly owned: boolean
}

export const storeVault = new Vault<StoreContent>("a store handle, from stores.keyValue('name', …) or table.store")

/** The handle of a table's rows. */
export const tableHandle = (spec: StoreSpec): StoreHandle =>
  storeVault.put({ name: spec.name, kind: spec.kind }, { spec, owned: true })
