/** Steps that move records elsewhere: to a topic, another partition, a table. */
import { needCount, needFunction, needOneOf } from '../checks.ts'
import type { Handle } from '../handle.ts'
import { present } from '../helpers.ts'
import type { SerdeOptions, StateOptions } from '../options.ts'
import type { AnySerde, PlanNode, UserFn } from '../plan/index.ts'
import { storeSpec } from '../stores/index.ts'
import { type Duration, toMs } from '../time/index.ts'
import type { SinkOptions } from './types.ts'

export function sink(at: Handle, topic: unknown, opts: SinkOptions<any, any>): PlanNode {
  const target = typeof topic === 'string' ? topic : needFunction(topic, 'to')
  const base = at.draft.step('to', [at.node], opts.name)
  return at.draft.add({
    ...base,
    kind: 'sink',
    table: false,
    topic: target,
    // a sink only writes: what can serialize serves
    key: (opts.key as AnySerde | undefined) ?? at.node.key,
    value: (opts.value as AnySerde | undefined) ?? at.node.value,
    ...present({ partitioner: opts.partitioner, headers: opts.headers }),
  })
}

export interface RepartitionOptions extends SerdeOptions<any, any> {
  readonly partitions?: number
  readonly partitioner?: UserFn
}

export function repartition(at: Handle, opts: RepartitionOptions): PlanNode {
  if (opts.partitions !== undefined) needCount(opts.partitions, 'repartition partitions')
  const base = at.draft.step('repartition', [at.node], opts.name)
  return at.draft.add({
    ...base,
    kind: 'repartition',
    table: false,
    key: opts.key ?? at.node.key,
    value: opts.value ?? at.node.value,
    ...present({ partitions: opts.partitions, partitioner: opts.partitioner }),
  })
}

export function toTable(at: Handle, opts: StateOptions<any, any, Duration>): PlanNode {
  const base = at.draft.step('toTable', [at.node], opts.name)
  const value = opts.value ?? at.node.value
  const store = storeSpec(opts.store, { step: base.name, value })
  return at.draft.add({ ...base, kind: 'toTable', table: true, key: opts.key ?? at.node.key, value, store })
}

export interface DeduplicateOptions extends StateOptions<any, any> {
  readonly within: Duration
  readonly keep?: 'first' | 'latest'
}

export function deduplicate(at: Handle, by: unknown, opts: DeduplicateOptions): PlanNode {
  const fn = needFunction(by, 'deduplicate')
  const within = toMs(opts?.within, 'deduplicate within', 1)
  const keep = needOneOf(opts.keep ?? 'first', 'deduplicate keep', ['first', 'latest'])
  const base = at.draft.step('deduplicate', [at.node], opts.name)
  const value = opts.value ?? at.node.value
  return at.draft.add({
    ...base,
    kind: 'deduplicate',
    table: false,
    key: opts.key ?? at.node.key,
    value,
    by: fn,
    within,
    keep,
    store: storeSpec(opts.store, { step: base.name, kind: 'list', value }),
  })
}
