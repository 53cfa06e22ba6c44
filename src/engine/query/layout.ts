import type { StoreSpec, UserFn } from '../../dsl/plan/index.ts'
import type { Window } from '../../dsl/windows/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import {
  type Cells,
  cellValues,
  type KeyCodec,
  type Sessions,
  SessionTable,
  type Ticked,
  tickedValues,
  type ValueCodec,
} from '../../state/stores/index.ts'
import { type PartialMatch, unpackPartials } from '../cep/index.ts'
import { eventCodec } from '../operators/match/event-codec.ts'
import { compilePatterns } from '../operators/match/match.ts'
import type { PhysicalPlan, StepOp } from '../plan/physical.ts'
import { storeCodecs } from '../runtime/steps/stores.ts'
import { keepsPanes } from '../runtime/steps/windowed.ts'
import { assigner, isAssigned } from '../time/assign.ts'
import { keyPlaces, type PlaceOfKey } from './key-places.ts'

/** A window of a key, and what it shows. */
export interface WindowValue {
  readonly window: Window
  readonly value: unknown
}

/**
 * How the rows of a store lie in each of its partitions, and what they show. Rows are by key, but for windows that all keys
 * share: those are by start (8 bytes), then by key.
 */
export interface StoreLayout {
  readonly name: string
  /** Of the sub-topology that owns it: it has as many partitions. */
  readonly sub: number
  readonly keys: KeyCodec
  readonly values: ValueCodec
  readonly shape: Shape
  /** Of a versioned store: how far back it remembers. */
  readonly history: number | undefined
  /** A global table: each partition has all rows. */
  readonly copies: boolean
  /** A key has several rows, which are shown as one: partial matches of patterns. */
  readonly inParts: boolean
  /** Of a key, among so many partitions. */
  readonly placeOf: PlaceOfKey
}

export type Shape =
  | { readonly kind: 'keyValue'; readonly ordered: boolean; readonly show: (held: unknown) => unknown }
  | { readonly kind: 'list' }
  /** `aligned`: the start in a row's key is the window's. */
  | {
      readonly kind: 'window'
      readonly aligned: boolean
      readonly windowOf: (start: number) => Window
      readonly show: (held: unknown) => unknown
    }
  /** A row each, by the windowed key as it is. */
  | { readonly kind: 'windowedRows' }
  /** All windows of a key in one row. */
  | { readonly kind: 'windows'; readonly windowsOf: (held: unknown) => Iterable<WindowValue> }

/** State of a step that means nothing to anybody else. */
const innerState: ReadonlySet<StepOp['kind']> = new Set(['streamJoin', 'deduplicate', 'mapAsync'])

/** @throws DhaaraError DHAARA_STORE_UNKNOWN: what there is; DHAARA_QUERY: it is nobody's but its step's */
export function storeLayout(plan: PhysicalPlan, name: string): StoreLayout {
  const spec = plan.stores.get(name)
  const sub = plan.subs.find(({ stores }) => stores.some((store) => store.name === name))
  if (spec === undefined || sub === undefined) {
    const known = [...plan.stores.keys()].join(', ') || 'none'
    throw new DhaaraError('DHAARA_STORE_UNKNOWN', `there is no store '${name}'; the topology has: ${known}`)
  }
  const owner = plan.steps.find(({ op }) => 'store' in op && op.store?.name === name)
  const declared = owner !== undefined || plan.steps.some(({ op }) => 'stores' in op && op.stores.includes(name))
  if (!declared || (owner !== undefined && innerState.has(owner.op.kind))) {
    const whose = owner === undefined ? 'a step' : `step '${owner.name}' (${owner.op.kind})`
    throw new DhaaraError(
      'DHAARA_QUERY',
      `store '${name}' is the inner state of ${whose}, which cannot be queried; ask for what the step emits`,
    )
  }
  if (owner !== undefined && keepsPanes(owner)) {
    throw new DhaaraError(
      'DHAARA_QUERY',
      `store '${name}' keeps parts of windows, which become windows when they close; ask for what step '${owner.name}' emits, or give the store a retention`,
    )
  }
  const { keys, values } = storeCodecs(spec, name)
  const copies = owner?.op.kind === 'source' && owner.op.global
  const placeOf: PlaceOfKey = copies ? () => undefined : keyPlaces(plan, sub, owner, keys)
  const placed = { name, sub: sub.id, keys, placeOf }
  if (owner?.op.kind === 'match') return { ...placed, ...matchLayout(name, owner.op, spec.key?.ordered ?? true) }
  const { wrap, shape } = shapeOf(spec, owner?.op)
  const history = spec.kind === 'versioned' ? spec.history : undefined
  return { ...placed, values: wrap(values), shape, history, copies, inParts: false }
}

/** A key's partial matches, oldest first of each pattern. */
function matchLayout(
  name: string,
  op: MatchOp,
  ordered: boolean,
): Omit<StoreLayout, 'name' | 'sub' | 'keys' | 'placeOf'> {
  const compiled = compilePatterns(op)
  const codec = eventCodec(op.events, name)
  const values: ValueCodec = {
    decode: (bytes) => unpackPartials(bytes, compiled, codec),
    encode: () => {
      throw new DhaaraError('DHAARA_INTERNAL', `store '${name}' is written by its step alone`)
    },
  }
  const show = (held: unknown): unknown => ((held as readonly PartialMatch[]).length === 0 ? undefined : held)
  const shape = { kind: 'keyValue', ordered, show } as const
  return { values, shape, history: undefined, copies: false, inParts: true }
}

type MatchOp = Extract<StepOp, { readonly kind: 'match' }>

interface Wrapped {
  readonly wrap: (values: ValueCodec) => ValueCodec
  readonly shape: Shape
}

/** What is held is what is shown. */
export const showHeld = (held: unknown): unknown => held

const asIs = (values: ValueCodec): ValueCodec => values

function shapeOf(spec: StoreSpec, op: StepOp | undefined): Wrapped {
  const aggregate = op !== undefined && 'spec' in op ? op : undefined
  const show: UserFn = aggregate?.spec.result ?? showHeld
  if (spec.kind === 'list') return { wrap: asIs, shape: { kind: 'list' } }
  if (spec.kind !== 'window' && spec.kind !== 'session') {
    const ordered = spec.key?.ordered ?? true
    return { wrap: asIs, shape: { kind: 'keyValue', ordered, show } }
  }
  if (op === undefined) {
    const windowOf = (start: number): Window => ({ start, end: start })
    return { wrap: asIs, shape: { kind: 'window', aligned: true, windowOf, show } }
  }
  const windows = aggregate?.kind === 'aggregate' ? aggregate.windows : undefined
  if (aggregate?.kind !== 'aggregate' || windows === undefined) return { wrap: asIs, shape: { kind: 'windowedRows' } }
  if (windows.kind === 'session')
    return {
      wrap: SessionTable.values,
      shape: { kind: 'windows', windowsOf: (held) => sessions(held as Sessions, show) },
    }
  if (!isAssigned(windows)) {
    const length = windows.kind === 'sliding' ? windows.difference : windows.records
    return { wrap: cellValues, shape: { kind: 'windows', windowsOf: (held) => cells(held as Cells, length, show) } }
  }
  const assign = assigner(windows)
  const ticked = aggregate.emit.mode === 'every'
  const shape: Shape = {
    kind: 'window',
    aligned: windows.kind === 'tumbling' || windows.kind === 'hopping',
    windowOf: (start) => ({ start: assign.startOf(start), end: assign.endOf(start) }),
    show: ticked
      ? (held) => {
          const { state } = held as Ticked
          return state === undefined ? undefined : show(state)
        }
      : show,
  }
  return { wrap: ticked ? tickedValues : asIs, shape }
}

function sessions({ open, closed }: Sessions, show: UserFn): WindowValue[] {
  return [...closed, ...open]
    .sort((a, b) => a.start - b.start)
    .map(({ start, end, state }) => ({ window: { start, end }, value: show(state) }))
}

function cells({ cells: all }: Cells, length: number, show: UserFn): WindowValue[] {
  return all
    .filter(({ state, ghost }) => state !== undefined && !ghost)
    .map(({ start, state }) => ({ window: { start, end: start + length }, value: show(state) }))
}
