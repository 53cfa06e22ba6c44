import { DhaaraError } from '../../errors/index.ts'
import { needFunction, needOneOf } from '../checks.ts'
import { present } from '../helpers.ts'
import type { StoreOptions } from '../options.ts'
import type { AnySerde, StoreSpec, WindowSpec } from '../plan/index.ts'
import { type Duration, toMs } from '../time/index.ts'

export type GivenStore = string | StoreOptions<Duration> | undefined

export interface StoreUse {
  /** The store of a step whose user names none is named after the step. */
  readonly step: string
  readonly kind?: 'list' | 'window' | 'session'
  readonly value?: AnySerde | undefined
}

/** Windows of this kind keep their rows in such a store. */
export const windowStoreKind = (windows: WindowSpec): 'window' | 'session' =>
  windows.kind === 'session' ? 'session' : 'window'

/**
 * The store of a DSL step, from its `store` option.
 * @throws DhaaraError DHAARA_OPTION if the options contradict one another, DHAARA_DURATION
 */
export function storeSpec(given: GivenStore, use: StoreUse): StoreSpec {
  const opts: StoreOptions<Duration> = typeof given === 'string' ? { name: given } : (given ?? {})
  const what = `the store of ${use.step}`
  const kind: StoreSpec['kind'] =
    use.kind ?? needOneOf(opts.kind ?? 'keyValue', `${what}: kind`, ['keyValue', 'versioned'])
  refuse(
    use.kind !== undefined && opts.kind !== undefined,
    `${what}: found a kind, expected none: it is a ${kind} store`,
  )
  refuse(
    kind === 'versioned' && opts.history === undefined,
    `${what}: found a versioned store without history, expected {history: '1h'}`,
  )
  refuse(
    kind !== 'versioned' && opts.history !== undefined,
    `${what}: found history on a ${kind} store, expected kind: 'versioned'`,
  )
  refuse(
    kind !== 'keyValue' && opts.ttl !== undefined,
    `${what}: found ttl on a ${kind} store, expected it on key-value stores only`,
  )
  const windowed = kind === 'window' || kind === 'session'
  refuse(
    !windowed && opts.retention !== undefined,
    `${what}: found retention on a ${kind} store, expected it on window stores only; use ttl`,
  )
  for (const fn of Object.values(opts.indexes ?? {})) needFunction(fn, `${what}: index`)
  return Object.freeze({
    name: opts.name ?? use.step,
    kind,
    ...present({
      value: use.value?.topicsOnly === true ? undefined : use.value,
      ttl: opts.ttl === undefined ? undefined : toMs(opts.ttl, `${what}: ttl`, 1),
      history: opts.history === undefined ? undefined : toMs(opts.history, `${what}: history`, 1),
      indexes: opts.indexes,
    }),
    backend: needOneOf(opts.backend ?? 'rocksdb', `${what}: backend`, ['rocksdb', 'memory']),
    ttlClock: needOneOf(opts.ttlClock ?? 'event', `${what}: ttlClock`, ['event', 'wall']),
    retention: toMs(opts.retention ?? 0, `${what}: retention`),
    named: opts.name !== undefined,
  })
}

function refuse(wrong: boolean, message: string): void {
  if (wrong) throw new DhaaraError('DHAARA_OPTION', message)
}
