/**
 * The logical plan: a frozen graph of what the user wrote, one node a call, in the order of the calls.
 * Nodes know nothing of engine, partitions or threads; the compiler's passes read them and make a physical plan.
 */
import type { PatternSpec, SkipSpec } from '../pattern/index.ts'
import type {
  AggregateSpec,
  AnySerde,
  BreakerSpec,
  EmitSpec,
  JoinWindowSpec,
  OwnSinkSpec,
  OwnSourceSpec,
  RetrySpec,
  StoreSpec,
  SuppressSpec,
  UserFn,
  WatermarkSpec,
  WindowSpec,
} from './specs.ts'

interface Base {
  /** Position in the plan. */
  readonly id: number
  /** Unique in the plan: metric label and graph id. */
  readonly name: string
  /** Given by the user, not derived. */
  readonly named: boolean
  readonly inputs: readonly PlanNode[]
  /** Does a record carry a row's change (KTable) or an event (KStream)? */
  readonly table: boolean
  /** Key serde known at this point: kept by steps that keep the key. */
  readonly key?: AnySerde | undefined
  readonly value?: AnySerde | undefined
  /** Where the user wrote it: 'file:line', for messages. */
  readonly site?: string | undefined
}

/** Where a source begins that has no position yet; `none`: nowhere. A timestamp in epoch ms: at the first record that is not older. */
export type OffsetReset = 'earliest' | 'latest' | 'none' | { readonly timestamp: number }

export interface SourceNode extends Base {
  readonly kind: 'source'
  readonly topics: readonly string[] | RegExp
  readonly timestamp?: UserFn
  readonly watermark: WatermarkSpec
  readonly offsetReset: OffsetReset
  readonly onInvalid?: 'fail' | 'skip' | 'deadLetter' | UserFn
  readonly keyOf?: UserFn
  readonly nullKeys: 'keep' | 'drop' | 'fail'
  readonly tombstones: 'keep' | 'drop'
  /** `builder.table` / `globalTable`: rows are kept here. */
  readonly store?: StoreSpec
  readonly global: boolean
  /** It reads no topics: records come from here. */
  readonly own?: OwnSourceSpec
}

/** (value, key, record) => …; on tables (value, key) => …, deletions pass through. */
export interface MapNode extends Base {
  readonly kind: 'filter' | 'mapValues' | 'map' | 'flatMap' | 'flatMapValues' | 'selectKey' | 'peek' | 'forEach'
  readonly fn: UserFn
  /** filterNot. */
  readonly negate: boolean
  /** A table step whose rows were asked to be kept (`{store}`). */
  readonly store?: StoreSpec
}

export interface MergeNode extends Base {
  readonly kind: 'merge'
}

/** First predicate that holds wins; `branch` nodes are its outlets. */
export interface SplitNode extends Base {
  readonly kind: 'split'
  readonly predicates: readonly UserFn[]
}

export interface BranchNode extends Base {
  readonly kind: 'branch'
  /** Index of the predicate; = predicates.length: what matched none. */
  readonly index: number
}

export interface RepartitionNode extends Base {
  readonly kind: 'repartition'
  readonly partitions?: number
  readonly partitioner?: UserFn
}

export interface SinkNode extends Base {
  readonly kind: 'sink'
  readonly topic: string | UserFn
  readonly partitioner?: UserFn
  readonly headers?: UserFn
}

/** A sink that is no topic. */
export interface DeliverNode extends Base {
  readonly kind: 'deliver'
  readonly own: OwnSinkSpec
}

export interface ToTableNode extends Base {
  readonly kind: 'toTable'
  readonly store: StoreSpec
}

export interface ToStreamNode extends Base {
  readonly kind: 'toStream'
}

/** Stream aggregation; several inputs are a cogroup. Its key is its input's key: `groupBy` put a selectKey before it. */
export interface AggregateNode extends Base {
  readonly kind: 'aggregate'
  readonly spec: AggregateSpec
  readonly windows?: WindowSpec
  readonly emit: EmitSpec
  readonly store: StoreSpec
  readonly twoPhase: boolean
}

/** Side output of an aggregate or a match: records that were late. */
export interface LateNode extends Base {
  readonly kind: 'late'
}

/** KTable.groupBy: (value, key) => [key, value] | null; retracts the old row's, adds the new row's. */
export interface TableGroupNode extends Base {
  readonly kind: 'tableGroup'
  readonly fn: UserFn
}

export interface TableAggregateNode extends Base {
  readonly kind: 'tableAggregate'
  readonly spec: AggregateSpec
  readonly store: StoreSpec
}

/** Equal keys. */
export interface TableJoinNode extends Base {
  readonly kind: 'tableJoin'
  readonly how: 'inner' | 'left' | 'outer'
  readonly joiner: UserFn
  readonly store?: StoreSpec
}

export interface ForeignJoinNode extends Base {
  readonly kind: 'foreignJoin'
  readonly how: 'inner' | 'left'
  readonly foreignKey: UserFn
  readonly joiner: UserFn
  readonly store?: StoreSpec
}

/** inputs: [stream, table]. */
export interface StreamTableJoinNode extends Base {
  readonly kind: 'streamTableJoin'
  readonly how: 'inner' | 'left'
  readonly joiner: UserFn
  readonly grace?: number
  /** Value serde of the stream's side, should it be repartitioned; absent: the input's. */
  readonly left?: AnySerde | undefined
}

/** inputs: [stream, global source]. */
export interface StreamGlobalJoinNode extends Base {
  readonly kind: 'streamGlobalJoin'
  readonly how: 'inner' | 'left'
  readonly lookup: UserFn
  readonly joiner: UserFn
}

export interface StreamJoinNode extends Base {
  readonly kind: 'streamJoin'
  readonly how: 'inner' | 'left' | 'outer'
  readonly joiner: UserFn
  readonly windows: JoinWindowSpec
  readonly left?: AnySerde | undefined
  readonly right?: AnySerde | undefined
  readonly store: StoreSpec
}

export interface ProcessNode extends Base {
  readonly kind: 'process'
  /** (ctx) => {process, onTimer?, end?, close?} */
  readonly supplier: UserFn
  readonly stores: readonly string[]
  /** processValues: the key cannot change. */
  readonly valuesOnly: boolean
}

export interface TransformValuesNode extends Base {
  readonly kind: 'transformValues'
  readonly supplier: UserFn
  readonly stores: readonly string[]
  readonly store?: StoreSpec
}

/** `groupByKey` with options: names what follows and gives its serdes; records pass as they are. */
export interface GroupNode extends Base {
  readonly kind: 'group'
}

/** (value, key, call) => Promise. */
export interface AsyncNode extends Base {
  readonly kind: 'mapAsync'
  readonly fn: UserFn
  readonly concurrency: number
  readonly ordered: 'key' | 'all' | false
  readonly timeout?: number
  readonly retry?: RetrySpec
  readonly breaker?: BreakerSpec
  readonly fallback?: UserFn
}

/** inputs: [stream, rules]. (value, rules, key, record) => …; each task holds all rules. */
export interface BroadcastNode extends Base {
  readonly kind: 'broadcast'
  readonly fn: UserFn
  readonly rulesKey?: AnySerde | undefined
  readonly rulesValue?: AnySerde | undefined
  readonly store: StoreSpec
}

/** Of records with the same key and the same `by`, less than `within` apart, one goes on. */
export interface DeduplicateNode extends Base {
  readonly kind: 'deduplicate'
  readonly by: UserFn
  readonly within: number
  readonly keep: 'first' | 'latest'
  readonly store: StoreSpec
}

export interface MatchNode extends Base {
  readonly kind: 'match'
  /** Name -> pattern; one without a tag has the name ''. */
  readonly patterns: Readonly<Record<string, PatternSpec>>
  /** Matches are handed to `select` as {pattern, match}. */
  readonly tagged: boolean
  readonly skip: SkipSpec
  readonly maxPartials?: number
  readonly whenFull: 'dropOldest' | 'dropNewest' | 'fail'
  /** (a, b) => order, of events of one timestamp. */
  readonly orderBy?: UserFn
  readonly time: 'event' | 'processing'
  /** Of the buffered events; absent: the store's default. */
  readonly events?: AnySerde | undefined
  /** (match, key, info) => result, or => results. */
  readonly select: UserFn
  readonly flat: boolean
  /** (partial, key, at) => result, or => results if `flat`. */
  readonly timedOut?: UserFn
  readonly store: StoreSpec
}

export interface SuppressNode extends Base {
  readonly kind: 'suppress'
  readonly policy: SuppressSpec
  /** What is held back. */
  readonly buffer: StoreSpec
  /** The rows that have come out, if they were asked to be kept. */
  readonly store?: StoreSpec
}

export type PlanNode =
  | SourceNode
  | MapNode
  | MergeNode
  | SplitNode
  | BranchNode
  | RepartitionNode
  | SinkNode
  | DeliverNode
  | ToTableNode
  | ToStreamNode
  | AggregateNode
  | LateNode
  | TableGroupNode
  | TableAggregateNode
  | TableJoinNode
  | ForeignJoinNode
  | StreamTableJoinNode
  | StreamGlobalJoinNode
  | StreamJoinNode
  | ProcessNode
  | TransformValuesNode
  | GroupNode
  | AsyncNode
  | BroadcastNode
  | DeduplicateNode
  | MatchNode
  | SuppressNode

export type NodeKind = PlanNode['kind']

/** What `build()` freezes. */
export interface LogicalPlan {
  /** In the order of the calls: inputs come before what reads them. */
  readonly nodes: readonly PlanNode[]
  /** Of `addStateStore` and of `process` steps' handles; those made by DSL steps are in their nodes. */
  readonly stores: readonly StoreSpec[]
  readonly naming: 'explicit' | 'derived'
}
