/** A topology as the printers see it. What is printed can come from the logical plan (`cut.ts`) or from a compiled one. */
export interface SourceView {
  readonly type: 'source'
  readonly name: string
  /** Topics, or the one RegExp as text. */
  readonly topics: readonly string[]
  /** What connector it reads, where it reads no topic. */
  readonly own?: string
  readonly to: readonly string[]
}
export interface ProcessorView {
  readonly type: 'processor'
  readonly name: string
  readonly stores: readonly string[]
  readonly to: readonly string[]
  readonly from: readonly string[]
}
export interface SinkView {
  readonly type: 'sink'
  readonly name: string
  /** null: a function chooses it for each record. */
  readonly topic: string | null
  /** What connector it writes, where it writes no topic. */
  readonly own?: string
  readonly from: readonly string[]
}
export type NodeView = SourceView | ProcessorView | SinkView

export interface SubTopologyView {
  readonly id: number
  /** Of a global table: makes no tasks. */
  readonly global: boolean
  /** Inputs before what reads them; `to` and `from` name nodes of this list. */
  readonly nodes: readonly NodeView[]
}
