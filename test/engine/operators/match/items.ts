import { pattern } from '../../../../src/index.ts'

/** What patterns of these tests look for, by its kind. */
export interface Item {
  readonly key: string
  readonly kind: string
  readonly n: number
  readonly at: number
}
export const p = pattern<Item>()
export const is = (kind: string) => (item: Item) => item.kind === kind
