import { needCount, needFunction, needOneOf } from '../checks.ts'
import { present } from '../helpers.ts'
import type { PlanDraft } from '../builder/draft.ts'
import type { RetrySpec, SourceNode } from '../plan/index.ts'
import { toMs } from '../time/index.ts'
import { watermarkSpec } from '../watermarks/index.ts'
import type { ConnectorRetry, OwnSerdeOptions, OwnSourceOptions, Source } from './types.ts'

export type AnyOwnSource = Source<any, any, any> & OwnSourceOptions<any, any, any> & Partial<OwnSerdeOptions<any, any>>

const actions = ['fail', 'skip', 'deadLetter'] as const

/** A source whose records come from `read`. */
export function ownSource(
  draft: PlanDraft,
  name: string,
  source: AnyOwnSource,
  opts: Partial<AnyOwnSource>,
): SourceNode {
  const what = `builder.source '${name}'`
  const given = { ...source, ...present({ ...opts }) }
  needFunction(source?.read, `${what} read`)
  if (source.commit !== undefined) needFunction(source.commit, `${what} commit`)
  for (const fn of ['timestamp', 'keyOf'] as const)
    if (given[fn] !== undefined) needFunction(given[fn], `${what} ${fn}`)
  if (typeof given.onInvalid === 'string') needOneOf(given.onInvalid, `${what} onInvalid`, actions)
  const base = draft.source(name, name)
  return draft.add({
    ...base,
    kind: 'source',
    table: false,
    global: false,
    topics: [],
    key: given.key,
    value: given.value,
    watermark: watermarkSpec(given.watermark),
    offsetReset: 'earliest',
    nullKeys: needOneOf(given.nullKeys ?? 'keep', `${what} nullKeys`, ['keep', 'drop', 'fail']),
    tombstones: 'drop',
    own: {
      connector: given.connector ?? 'own',
      partitions: needCount(given.partitions ?? 1, `${what} partitions`),
      byKey: given.partitionedByKey ?? (given.partitions ?? 1) === 1,
      retry: retrySpec(given.retry, what),
      read: (position, signal, task) => source.read(position, signal, task),
      ...present({ commit: source.commit && ((position: unknown, task: never) => source.commit?.(position, task)) }),
    },
    ...present({ timestamp: given.timestamp, keyOf: given.keyOf, onInvalid: given.onInvalid as 'fail' | undefined }),
  })
}

export function retrySpec(retry: ConnectorRetry = {}, what: string): RetrySpec {
  return {
    attempts: needCount(retry.attempts ?? 10, `${what} retry.attempts`),
    backoff: toMs(retry.backoff ?? '100ms', `${what} retry.backoff`),
    maxBackoff: toMs(retry.maxBackoff ?? '10s', `${what} retry.maxBackoff`),
    jitter: true,
  }
}
