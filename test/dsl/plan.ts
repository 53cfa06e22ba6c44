import assert from 'node:assert/strict'
import type { NodeKind, PlanNode } from '../../src/dsl/plan/index.ts'
import { planOf } from '../../src/dsl/topology/index.ts'
import { type DhaaraError, StreamsBuilder, serdes, TopologyError } from '../../src/index.ts'

export interface Order {
  readonly id: string
  readonly customer: string
  readonly city: string
  readonly total: number
  readonly at: number
}

/** A builder with a stream of orders, keyed by text. */
export function ordersBuilder() {
  const builder = new StreamsBuilder()
  const key = serdes.string()
  const value = serdes.json<Order>()
  return { builder, orders: builder.stream('orders', { key, value }), key, value }
}

export const nodesOf = (builder: StreamsBuilder): readonly PlanNode[] => planOf(builder.build()).nodes

/** The one node of this kind. */
export function only<K extends NodeKind>(builder: StreamsBuilder, kind: K): PlanNode & { readonly kind: K } {
  const found = nodesOf(builder).filter((node) => node.kind === kind)
  assert.equal(found.length, 1, `${found.length} nodes of kind ${kind}`)
  return found[0] as PlanNode & { readonly kind: K }
}

/** Problems as `code step`, in order. */
export function problemsOf(builder: StreamsBuilder, opts?: { readonly naming: 'explicit' }): string[] {
  try {
    builder.build(opts)
  } catch (error) {
    assert.ok(error instanceof TopologyError)
    return error.problems.map((p) => `${p.code} ${p.step}`)
  }
  return []
}

/** For assert.throws: this code, and a message that says so. */
export const refusal =
  (code: string, message: RegExp) =>
  (error: DhaaraError): boolean => {
    assert.equal(error.code, code)
    assert.match(error.message, message)
    return true
  }
