import type { Topology } from '../../src/index.ts'
import type { InnerDriverOptions } from '../../src/testing/options.ts'
import { type DriverSnapshot, TopologyTestDriver } from '../../src/testing/index.ts'
import type { Event, Fault } from './arbitraries.ts'
import { Model, type Result, type Sent } from './model.ts'
import { type Shape, storeName } from './shape.ts'

/** Input topics of a shape, in order. */
export const topicsIn = (shape: Shape): string[] =>
  shape.nodes.flatMap((node) => (node.op === 'stream' || node.op === 'table' ? [node.topic] : []))

export const topicsOut = (shape: Shape): string[] =>
  shape.nodes.flatMap((node) => (node.op === 'sink' ? [node.topic] : []))

/** Of topics that are there; only sources without a strategy are moved by hand. */
export function resolved(shape: Shape, events: readonly Event[]): (Sent | { topic: string; to: number })[] {
  const topics = topicsIn(shape)
  const byHand = new Set(
    shape.nodes.flatMap((node) => (node.op === 'stream' && node.watermark.kind === 'none' ? [node.topic] : [])),
  )
  return events.flatMap((event): (Sent | { topic: string; to: number })[] => {
    const topic = topics[event.topic % topics.length] as string
    if (event.kind === 'send') return [{ ...event, topic }]
    return byHand.has(topic) ? [{ topic, to: event.to }] : []
  })
}

export type Step = ReturnType<typeof resolved>[number]
export type Results = Record<string, Result[]>

export function byModel(shape: Shape, steps: readonly Step[]): { results: Results; rows: object; late: number } {
  const model = new Model(shape)
  for (const step of steps) {
    if ('to' in step) model.advance(step.topic, step.to)
    else model.send(step)
  }
  const rows = rowsOf(shape, (i) => model.rowsOf(i).map(({ key, value }) => [key, value]))
  model.end()
  return {
    results: Object.fromEntries(topicsOut(shape).map((topic) => [topic, [...model.output(topic)]])),
    rows,
    late: model.late,
  }
}

export function feed(driver: TopologyTestDriver, steps: readonly Step[]): void {
  // neighbours that go to one topic go together: the driver cuts them into batches
  for (let i = 0; i < steps.length; ) {
    const step = steps[i] as Step
    if ('to' in step) {
      driver.advanceWatermark(step.topic, step.to)
      i++
      continue
    }
    const run: Sent[] = []
    for (; i < steps.length; i++) {
      const next = steps[i] as Step
      if ('to' in next || next.topic !== step.topic) break
      run.push(next)
    }
    driver
      .input(step.topic)
      .sendAll(run.map(({ key, value, timestamp, headers }) => ({ key, value, timestamp, headers })))
  }
}

export function take(shape: Shape, driver: TopologyTestDriver, into: Results = {}): Results {
  for (const topic of topicsOut(shape)) (into[topic] ??= []).push(...(driver.output(topic).readAll() as Result[]))
  return into
}

export function byEngine(
  shape: Shape,
  topology: Topology,
  steps: readonly Step[],
  options: InnerDriverOptions = {},
): { results: Results; rows: object } {
  using driver = new TopologyTestDriver(topology, options)
  feed(driver, steps)
  const rows = rowsIn(shape, driver)
  driver.end()
  return { results: take(shape, driver), rows }
}

/** Feeds the steps through faults: what came after the last checkpoint is lost, and sent again. */
export function byFaultyEngine(
  shape: Shape,
  topology: Topology,
  steps: readonly Step[],
  faults: readonly Fault[],
  options: readonly InnerDriverOptions[],
): { results: Results; rows: object } {
  let runs = 0
  let snapshot: DriverSnapshot | undefined
  const begin = () => {
    const own = options[runs++ % options.length]
    return new TopologyTestDriver(topology, snapshot === undefined ? own : { ...own, restore: snapshot })
  }
  const results: Results = {}
  let driver = begin()
  let kept = 0
  let i = 0
  const inOrder = faults.map(({ at, kind }) => ({ at: at % (steps.length + 1), kind })).sort((a, b) => a.at - b.at)
  for (const { at, kind } of inOrder) {
    feed(driver, steps.slice(i, at))
    i = at
    if (kind === 'checkpoint') {
      snapshot = driver.checkpoint()
      take(shape, driver, results)
      kept = i
      continue
    }
    if (kind === 'crash') driver.crash()
    else {
      driver.close()
      driver = begin()
    }
    feed(driver, steps.slice(kept, i))
  }
  feed(driver, steps.slice(i))
  const rows = rowsIn(shape, driver)
  driver.end()
  take(shape, driver, results)
  driver.close()
  return { results, rows }
}

/** Rows of every store, in key order, as users see them. */
export const rowsIn = (shape: Shape, driver: TopologyTestDriver): object =>
  rowsOf(shape, (i) => {
    const node = shape.nodes[i]
    const store = driver.store(storeName(i))
    const rows = node?.op === 'aggregate' && node.windows ? store.fetchAll(0, 1e12) : store.all()
    return JSON.parse(JSON.stringify([...rows]))
  })

function rowsOf(shape: Shape, read: (node: number) => unknown[]): object {
  const stored = shape.nodes.flatMap((node, i) => {
    const keeps = ['table', 'toTable', 'aggregate', 'tally', 'process'].includes(node.op)
    return keeps || ('kept' in node && node.kept) ? [i] : []
  })
  return Object.fromEntries(stored.map((i) => [storeName(i), sorted(read(i))]))
}

const sorted = (rows: unknown[]): unknown[] =>
  rows
    .map((row) => JSON.stringify(row))
    .sort()
    .map((row) => JSON.parse(row))
