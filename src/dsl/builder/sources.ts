import { needCount, needFunction, needOneOf } from '../checks.ts'
import { present } from '../helpers.ts'
import type { OffsetReset, SourceNode, UserFn } from '../plan/index.ts'
import { storeSpec } from '../stores/index.ts'
import { watermarkSpec } from '../watermarks/index.ts'
import type { PlanDraft } from './draft.ts'
import { sourceName } from './names.ts'
import type { NullKeys, SourceOptions, TableSourceOptions } from './types.ts'

type Role = 'stream' | 'table' | 'globalTable'
export interface AnySourceOptions extends SourceOptions<any, any, NullKeys> {
  readonly tombstones?: 'keep' | 'drop'
  readonly store?: TableSourceOptions<any, any>['store']
}

const actions = ['fail', 'skip', 'deadLetter'] as const

/**
 * Adds a source, or gives the one that is there: a topic is read once, however often it is named with the same options.
 * Other options for the same topic make a second source, which `build` reports.
 */
export function source(
  draft: PlanDraft,
  role: Role,
  topic: string | readonly string[] | RegExp,
  given: AnySourceOptions | undefined,
): SourceNode {
  // without options JavaScript, too, is to be told of the serde that is missing
  const opts = given ?? ({} as AnySourceOptions)
  const fields = sourceFields(role, topic, opts)
  const same = draft.nodes.find((node) => node.kind === 'source' && isSame(node, fields, opts))
  if (same !== undefined) return same as SourceNode
  const base = draft.source(sourceName(fields.topics), opts.name)
  const store = role === 'stream' ? undefined : storeSpec(opts.store, { step: base.name, value: opts.value })
  return draft.add({ ...base, ...fields, ...present({ store }) })
}

type Fields = Omit<SourceNode, 'id' | 'name' | 'named' | 'site' | 'store'>

function sourceFields(role: Role, topic: string | readonly string[] | RegExp, opts: AnySourceOptions): Fields {
  const what = `builder.${role} ${topic instanceof RegExp ? topic : `'${topic}'`}`
  const table = role !== 'stream'
  for (const name of ['timestamp', 'keyOf'] as const) {
    if (opts?.[name] !== undefined) needFunction(opts[name], `${what} ${name}`)
  }
  if (typeof opts.onInvalid === 'string') needOneOf(opts.onInvalid, `${what} onInvalid`, actions)
  return {
    kind: 'source',
    inputs: [],
    table,
    global: role === 'globalTable',
    topics: typeof topic === 'string' ? [topic] : topic instanceof RegExp ? topic : [...topic],
    key: opts.key,
    value: opts.value,
    watermark: watermarkSpec(opts.watermark),
    offsetReset: offsetReset(opts.offsetReset ?? 'earliest', what),
    nullKeys: table ? 'drop' : needOneOf(opts.nullKeys ?? 'keep', `${what} nullKeys`, ['keep', 'drop', 'fail']),
    tombstones: table ? 'keep' : needOneOf(opts.tombstones ?? 'drop', `${what} tombstones`, ['keep', 'drop']),
    ...present({
      timestamp: opts.timestamp,
      keyOf: opts.keyOf,
      onInvalid: opts.onInvalid as ErrorActionOrFn,
    }),
  }
}
type ErrorActionOrFn = (typeof actions)[number] | UserFn | undefined

/** Topics of a source as text: equal texts, equal topics. */
export const topicsText = (topics: readonly string[] | RegExp): string =>
  topics instanceof RegExp ? String(topics) : topics.join(', ')

function isSame(node: SourceNode, fields: Fields, opts: AnySourceOptions): boolean {
  const { watermark, topics, inputs: _, ...rest } = fields
  if (opts.name !== undefined && opts.name !== node.name) return false
  if (opts.store !== undefined || node.store?.named) return false
  return (
    topicsText(topics) === topicsText(node.topics) &&
    (Object.keys(watermark) as (keyof typeof watermark)[]).every((key) => watermark[key] === node.watermark[key]) &&
    (['timestamp', 'keyOf', 'onInvalid'] as const).every((key) => node[key] === fields[key]) &&
    Object.entries(rest).every(([key, value]) => node[key as keyof SourceNode] === value)
  )
}

function offsetReset(given: NonNullable<SourceOptions<unknown, unknown>['offsetReset']>, what: string): OffsetReset {
  if (typeof given !== 'object' || given === null)
    return needOneOf<'earliest' | 'latest' | 'none'>(given, `${what} offsetReset`, ['earliest', 'latest', 'none'])
  const { timestamp } = given
  return { timestamp: needCount(timestamp instanceof Date ? timestamp.getTime() : timestamp, `${what} timestamp`, 0) }
}
