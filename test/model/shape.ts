/** A tiny description of a topology: the DSL's and the model's are both built from it, each on its own way. */
export type WatermarkShape =
  | { readonly kind: 'monotonous' | 'none' }
  | { readonly kind: 'bounded'; readonly bound: number }
  /** W follows every record whose number is a multiple of `every`. */
  | { readonly kind: 'punctuated'; readonly every: number }

/** `fleeting` returns null at times, which deletes the row; `list` appends in place. */
export type Fold = 'count' | 'sum' | 'list' | 'reduce' | 'fleeting'
export type EmitShape = 'update' | 'close' | 'onTime' | { readonly every: number }

export interface WindowShape {
  readonly size: number
  /** Equal to `size`: tumbling. */
  readonly advance: number
  readonly grace: number
  readonly emit: EmitShape
}

export interface SessionShape {
  readonly gap: number
  readonly grace: number
  readonly emit: EmitShape
}

interface One {
  /** Position of the node that it reads. */
  readonly of: number
}
interface Two {
  readonly of: number
  readonly with: number
}

export type ShapeNode =
  | {
      readonly op: 'stream'
      readonly topic: string
      readonly watermark: WatermarkShape
      readonly tombstones: 'keep' | 'drop'
    }
  | { readonly op: 'table'; readonly topic: string }
  | ({ readonly op: 'filter'; readonly mod: number; readonly negate: boolean } & One)
  | ({ readonly op: 'mapValues'; readonly plus: number } & One)
  | ({ readonly op: 'map'; readonly keys: number } & One)
  | ({ readonly op: 'selectKey'; readonly keys: number } & One)
  | ({ readonly op: 'flatMap'; readonly copies: number } & One)
  | ({ readonly op: 'flatMapValues'; readonly copies: number } & One)
  | ({ readonly op: 'merge' } & Two)
  /** Followed by its branches. */
  | ({ readonly op: 'split'; readonly mods: readonly number[] } & One)
  | ({ readonly op: 'branch'; readonly index: number } & One)
  | ({ readonly op: 'repartition' } & One)
  | ({ readonly op: 'process'; readonly delay: number; readonly valuesOnly: boolean } & One)
  | ({ readonly op: 'sink'; readonly topic: string } & One)
  | ({ readonly op: 'toTable' } & One)
  | ({ readonly op: 'toStream' } & One)
  /** From a window's key to that of its records. */
  | ({ readonly op: 'unwindow' } & One)
  /** A second input is a cogroup. */
  | ({
      readonly op: 'aggregate'
      readonly fold: Fold
      readonly with?: number
      readonly windows?: WindowShape | SessionShape
    } & One)
  /** Directly behind a windowed aggregate. */
  | ({ readonly op: 'late' } & One)
  | ({ readonly op: 'tableFilter'; readonly mod: number; readonly kept: boolean } & One)
  | ({ readonly op: 'tableMap'; readonly plus: number; readonly kept: boolean } & One)
  /** Followed by its tally. */
  | ({ readonly op: 'group'; readonly keys: number } & One)
  | ({ readonly op: 'tally'; readonly fold: 'count' | 'sum' | 'reduce' } & One)
  | ({ readonly op: 'tableJoin'; readonly how: 'inner' | 'left' | 'outer'; readonly kept: boolean } & Two)
  | ({ readonly op: 'lookup'; readonly how: 'inner' | 'left' } & Two)

export type Op = ShapeNode['op']

export interface Shape {
  readonly nodes: readonly ShapeNode[]
}

const tables = new Set<Op>(['table', 'toTable', 'aggregate', 'tableFilter', 'tableMap', 'group', 'tally', 'tableJoin'])
/** Carries row changes. */
export const isTable = (node: ShapeNode): boolean => tables.has(node.op)

export const inputsOf = (node: ShapeNode): readonly number[] => {
  if (node.op === 'stream' || node.op === 'table') return []
  return 'with' in node && node.with !== undefined ? [node.of, node.with] : [node.of]
}

/** Names that both sides give to what node `i` is called by. */
export const storeName = (i: number): string => `store-${i}`
