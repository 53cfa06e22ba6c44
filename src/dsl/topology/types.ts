import type { brand } from '../brand.ts'

/** A frozen plan. */
export interface Topology {
  /** Kafka Streams' text. */
  describe(): string
  /** The plan as data: steps, stores, windows, versions of serdes; no functions. */
  toJSON(): unknown
  /** A Mermaid flow chart. */
  toMermaid(): string
  /** A Graphviz digraph. */
  toDot(): string
  /**
   * Equal plans, equal hashes: SHA-256 of `toJSON()`, its keys sorted. Steps, names, stores, windows and serde versions
   * count. The source text of functions does not, since compilers and minifiers change it where nothing has changed.
   */
  readonly hash: string
  readonly [brand]: 'topology'
}
