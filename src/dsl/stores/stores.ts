import { DhaaraError } from '../../errors/index.ts'
import { needFunction, needOneOf } from '../checks.ts'
import type { StoreSpec } from '../plan/index.ts'
import type { OrderedKey, Serde } from '../serdes/types.ts'
import { type Duration, toMs } from '../time/index.ts'
import { show } from '../vault.ts'
import { storeVault } from './content.ts'
import type {
  Decoded,
  KeyValueHandle,
  ListHandle,
  OrderFrom,
  StoreDefinition,
  StoreHandle,
  VersionedHandle,
  WindowHandle,
} from './handles.ts'

interface Definition extends StoreDefinition<any, any> {
  readonly history?: Duration
  readonly retention?: Duration
  readonly indexes?: Readonly<Record<string, (value: any, key: any) => OrderedKey>>
}

function needSerde(serde: unknown, what: string): void {
  if (typeof (serde as Serde<unknown> | undefined)?.deserialize === 'function') return
  throw new DhaaraError(
    'DHAARA_SERDE_MISSING',
    `${what}: found ${show(serde)}, expected a serde such as serdes.string()`,
  )
}

function define(kind: StoreSpec['kind'], name: string, def: Definition): StoreHandle {
  const what = `stores.${kind} ${show(name)}`
  needSerde(def?.key, `${what} key`)
  needSerde(def.value, `${what} value`)
  for (const fn of Object.values(def.indexes ?? {})) needFunction(fn, `${what} index`)
  const spec: StoreSpec = {
    name,
    kind,
    key: def.key,
    value: def.value,
    backend: needOneOf(def.backend ?? 'rocksdb', `${what} backend`, ['rocksdb', 'memory']),
    ...(def.ttl === undefined ? {} : { ttl: toMs(def.ttl, `${what} ttl`, 1) }),
    ttlClock: 'event',
    retention: kind === 'window' ? toMs(def.retention as Duration, `${what} retention`) : 0,
    ...(kind === 'versioned' ? { history: toMs(def.history as Duration, `${what} history`) } : {}),
    ...(def.indexes === undefined ? {} : { indexes: def.indexes }),
    named: true,
  }
  return storeVault.put({ name, kind }, { spec: Object.freeze(spec), owned: false })
}

/**
 * Stores for processors: name them in the step's `{stores}`, or add them with `builder.addStateStore`.
 * The order of a store's keys is that of its key serde: only ordered ones give `range` and `prefix`.
 * @example const spent = stores.keyValue('spent', { key: serdes.string(), value: serdes.number() })
 */
export const stores: {
  /** A value a key. `ttl`: rows that are not written for so long are deleted. */
  keyValue<S extends Serde<any>, V>(
    name: string,
    spec: {
      readonly key: S
      readonly value: Serde<V>
      readonly backend?: 'rocksdb' | 'memory'
      readonly ttl?: Duration
      readonly indexes?: Readonly<Record<string, (value: V, key: Decoded<S>) => OrderedKey>>
    },
  ): KeyValueHandle<Decoded<S>, V, OrderFrom<S>>
  /** The value of a key as of a time, as far back as `history`. */
  versioned<S extends Serde<any>, V>(
    name: string,
    spec: { readonly key: S; readonly value: Serde<V>; readonly history: Duration },
  ): VersionedHandle<Decoded<S>, V, OrderFrom<S>>
  /** A queue of values a key. */
  list<K, V>(name: string, spec: StoreDefinition<K, V>): ListHandle<K, V>
  /** Values by key and window start. What starts more than `retention` before the latest start of its partition goes, and is not kept. */
  window<K, V>(name: string, spec: StoreDefinition<K, V> & { readonly retention: Duration }): WindowHandle<K, V>
} = Object.freeze({
  keyValue: (name: string, spec: Definition) => define('keyValue', name, spec) as any,
  versioned: (name: string, spec: Definition) => define('versioned', name, spec) as any,
  list: (name: string, spec: Definition) => define('list', name, spec) as any,
  window: (name: string, spec: Definition) => define('window', name, spec) as any,
})
