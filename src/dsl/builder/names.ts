import type { PlanNode } from '../plan/index.ts'

const valid = /^[A-Za-z0-9._-]+$/
/** What a broker lets a topic's name have. */
const maxTopicName = 249
/** The longest that is put behind a step's or store's name to make an internal topic's. */
const longestSuffix = '-repartition'.length

/** Can this be a topic? */
export const isTopicName = (name: string): boolean =>
  valid.test(name) && name !== '.' && name !== '..' && name.length <= maxTopicName

/** Can this be a step or a store, which give their names to internal topics? */
export const isStepName = (name: string): boolean => isTopicName(name) && name.length <= maxTopicName - longestSuffix

/** A name made of any text: what no topic may have is left out. */
function nameFrom(text: string, otherwise: string): string {
  const name = text.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[-.]+|[-.]+$/g, '')
  return name === '' ? otherwise : name.slice(0, 100)
}

/** How a source is called if the user does not say. */
export function sourceName(topics: readonly string[] | RegExp): string {
  if (topics instanceof RegExp) return nameFrom(topics.source, 'pattern')
  const [first = 'source', ...more] = topics
  if (more.length < 3) return nameFrom(topics.join('-'), 'source')
  return nameFrom(`${first}-and-${more.length}-more`, 'source')
}

/**
 * Gives steps their names at the moment they are made: the user's, or anchor + operation + ordinal, where the anchor is
 * the nearest named step above (a source, a branch, a step with `{name}` or `{store}`) and the ordinal counts the steps of
 * one operation below it. An inserted step can so rename its equals only, and no operation is both stateful and
 * stateless: a filter that comes in never renames a store.
 */
export class Namer {
  private readonly anchors = new Map<PlanNode, string>()
  private readonly ordinals = new Map<string, number>()

  /** Name of the nearest named ancestor. */
  anchorOf(node: PlanNode): string {
    return this.anchors.get(node) ?? node.name
  }

  next(inputs: readonly PlanNode[], operation: string): string {
    const [input] = inputs
    const stem = input === undefined ? operation : `${this.anchorOf(input)}-${operation}`
    return `${stem}-${this.ordinal(stem)}`
  }

  /** `stem` itself for the first who asks, `stem-2` for the second. */
  unique(stem: string): string {
    const n = this.ordinal(stem)
    return n === 1 ? stem : `${stem}-${n}`
  }

  /** What steps below this one are named after. */
  settle(node: PlanNode, isSource: boolean): void {
    const store = 'store' in node ? node.store : undefined
    const [input] = node.inputs
    if (node.named || isSource || input === undefined) this.anchors.set(node, node.name)
    else if (store?.named) this.anchors.set(node, store.name)
    else this.anchors.set(node, this.anchorOf(input))
  }

  private ordinal(stem: string): number {
    const n = (this.ordinals.get(stem) ?? 0) + 1
    this.ordinals.set(stem, n)
    return n
  }
}
