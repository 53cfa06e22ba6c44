import assert from 'node:assert/strict'
import { embeddedBroker } from '../../src/index.ts'
import { differences, type Mode } from '../examples/compare.ts'
import { read, type Row, runToEnd, type Sent, send } from '../engine/app/run.ts'
import topology from './job.ts'
import { customerAt, customers, orderAt } from './orders.ts'

/** What is to be equal in each topic, whatever has happened meanwhile. */
export const modes: Readonly<Record<string, Mode>> = {
  spent: 'sequence',
  'with-tier': 'multiset',
  sessions: 'closed',
  'living-in': 'last',
  'city-counts': 'sequence',
  quarters: 'closed',
  'city-windows': 'closed',
  regions: 'last',
  'region-windows': 'closed',
}

export type Outputs = ReadonlyMap<string, readonly Row[]>

export const partitions = 4
/** Topics that are read. */
export const inputs = 2

/** What one thread gives that nothing disturbs. */
export function expectedOutputs(seed: number, count: number): Promise<Outputs> {
  return expectedOf({ customers: range(customers, customerAt), orders: range(count, (i) => orderAt(seed, i)) })
}

/** @param sent by topic */
export async function expectedOf(sent: Readonly<Record<string, Iterable<Sent>>>): Promise<Outputs> {
  const broker = embeddedBroker({ partitions })
  for (const [topic, records] of Object.entries(sent)) await send(broker, topic, records)
  const { late, dropped } = await runToEnd({ topology, broker })
  assert.deepEqual({ late, dropped }, { late: {}, dropped: {} })
  const outputs = await outputsOf(broker)
  await broker[Symbol.asyncDispose]()
  return outputs
}

export async function outputsOf(broker: ReturnType<typeof embeddedBroker>): Promise<Outputs> {
  const outputs = new Map<string, readonly Row[]>()
  for (const topic of Object.keys(modes)) outputs.set(topic, await read(broker, topic))
  return outputs
}

export async function outputsIn(dir: string): Promise<Outputs> {
  const broker = embeddedBroker({ dir })
  const outputs = await outputsOf(broker)
  await broker[Symbol.asyncDispose]()
  return outputs
}

export function assertEqual(actual: Outputs, expected: Outputs): void {
  const found = Object.entries(modes).flatMap(([topic, mode]) =>
    differences(mode, expected.get(topic) ?? [], actual.get(topic) ?? [])
      .slice(0, 5)
      .map((line) => `${topic} (${mode}) ${line}`),
  )
  if (found.length > 0) assert.fail(`the output differs from that of the undisturbed run:\n${found.join('\n')}`)
}

export function* range<T>(count: number, at: (i: number) => T): Generator<T> {
  for (let i = 0; i < count; i++) yield at(i)
}
