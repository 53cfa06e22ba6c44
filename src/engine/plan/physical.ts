/** The physical plan: steps wired to each other, cut into sub-topologies. Plain data; tasks are made from it. */
import type {
  AggregateNode,
  AnySerde,
  ForeignJoinNode,
  LogicalPlan,
  PlanNode,
  StoreSpec,
  UserFn,
} from '../../dsl/plan/index.ts'

/** Records change key and so change task: written by one sub-topology, read by another. */
export interface Repartition {
  readonly id: number
  readonly name: string
  /** Absent: the typed key codec (and msgpack for values). */
  readonly key?: AnySerde | undefined
  readonly value?: AnySerde | undefined
  readonly partitions?: number | undefined
  /** (value, key, partitions) => partition. Absent: by the typed key. */
  partitioner?: UserFn | undefined
  /** Each task reads what the task of its own partition has written: results that come later. */
  readonly local?: boolean
  /** Each task reads everything. */
  readonly broadcast?: boolean
  /** Carries states of an aggregation's first phase. */
  readonly partial?: boolean
  /** Carries changes of table rows (new and old) instead of events. */
  readonly change: boolean
}

export type StepOp =
  | PlanNode
  | { readonly kind: 'repartitionWrite'; readonly repartition: Repartition }
  | { readonly kind: 'repartitionRead'; readonly repartition: Repartition }
  /** The first phase of an aggregation, for one of its inputs. */
  | { readonly kind: 'partial'; readonly node: AggregateNode; readonly port: number }
  /** Of a foreign-key join, the place at its left table. */
  | { readonly kind: 'foreignSend'; readonly node: ForeignJoinNode }
  /** The place at its right table. */
  | { readonly kind: 'foreignLookup'; readonly node: ForeignJoinNode }

/** Where a step's records go: a step and which of its inputs they are. */
export interface Edge {
  readonly to: Step
  readonly port: number
}

export interface Step<O extends StepOp = StepOp> {
  /** Unique in the plan, in topological order. */
  id: number
  readonly name: string
  readonly op: O
  /** Carries row changes. */
  readonly table: boolean
  readonly inputs: Step[]
  readonly outputs: Edge[]
  /** Index of its sub-topology. */
  sub: number
  /** Somebody downstream needs a row's old value with its new one. */
  needsOld: boolean
}

export interface SubTopology {
  readonly id: number
  /** Of what flows in: stays the same while its inputs do. */
  readonly name: string
  /** In topological order. */
  readonly steps: readonly Step[]
  /** Sources and reads of repartitions. */
  readonly inputs: readonly Step[]
  readonly stores: readonly StoreSpec[]
  /** Some stateful step is fed by more than one input: which record comes next matters. */
  readonly inputsMeet: boolean
}

export interface PhysicalPlan {
  readonly logical: LogicalPlan
  readonly steps: readonly Step[]
  readonly subs: readonly SubTopology[]
  readonly repartitions: readonly Repartition[]
  /** By name. Its position in the map is no store id: ids are given by the state directory. */
  readonly stores: ReadonlyMap<string, StoreSpec>
}
