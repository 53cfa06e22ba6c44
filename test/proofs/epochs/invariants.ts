import assert from 'node:assert/strict'
import { type Database, taskName } from './database.ts'
import { WINDOW } from './task.ts'
import type { RecordFrame, Setup, TaskCut } from './types.ts'

const ascending = (ids: readonly number[]): number[] => [...ids].sort((a, b) => a - b)

/** The ids in the stored aggregates whose key has a prefix. */
function idsOf(db: Database, task: string, prefix: string): number[] {
  const stored = [...(db.state.get(task) ?? [])].filter(([key]) => key.startsWith(prefix))
  return stored.flatMap(([, bytes]) => (JSON.parse(bytes) as { ids: number[] }).ids)
}

/** I1 to I6 of docs/proofs/epochs.md: what holds of the database after every write, whatever comes next. */
export function checkCut(setup: Setup, db: Database, before: ReadonlyMap<string, TaskCut>): void {
  for (let stage = 0; stage < setup.stages; stage++) {
    const arriving: number[] = []
    const applied: number[] = []
    for (let p = 0; p < setup.partitions; p++) {
      const name = taskName(stage, p)
      const cut = db.cuts.get(name) as TaskCut
      applied.push(...idsOf(db, name, 'count|'))
      if (stage === 0) arriving.push(...(setup.sources[p] ?? []).slice(0, cut.position).map(({ id }) => id))
      cut.inputs.forEach((_, from) => {
        arriving.push(...checkChannel(db, stage - 1, from, p))
      })
      checkTime(db, name, cut, before.get(name))
      checkOutput(db, name)
    }
    if (stage > 0) {
      const upstream = Array.from({ length: setup.partitions }, (_, p) => idsOf(db, taskName(stage - 1, p), 'count|'))
      const inFlight = arriving
      assert.deepEqual(
        ascending([...applied, ...inFlight]),
        ascending(upstream.flat()),
        `I2: stage ${stage}, epoch ${db.epoch}`,
      )
    } else {
      assert.deepEqual(ascending(applied), ascending(arriving), `I2: state and positions, epoch ${db.epoch}`)
    }
  }
}

/** I1: in flight = (applied, sent]; I4: watermarks of a channel never lead its producer. Returns the ids in flight. */
function checkChannel(db: Database, stage: number, from: number, to: number): number[] {
  const producer = db.cuts.get(taskName(stage, from)) as TaskCut
  const input = db.cuts.get(taskName(stage + 1, to))?.inputs[from]
  assert.ok(input)
  const where = `channel ${stage}.${from}>${to}, epoch ${db.epoch}`
  const expected = Array.from({ length: (producer.sent[to] ?? 0) - input.applied }, (_, i) => input.applied + 1 + i)
  assert.deepEqual(
    input.inFlight.map((frame: RecordFrame) => frame.seq),
    expected,
    `I1: ${where}`,
  )
  let watermark = input.watermark
  for (const frame of input.inFlight) {
    assert.ok(frame.watermark >= watermark, `I4: a watermark in flight goes back, ${where}`)
    assert.ok(frame.epoch <= db.epoch, `I1: a record of a later epoch, ${where}`)
    watermark = frame.watermark
  }
  assert.ok(watermark <= producer.watermark, `I4: the consumer is ahead of its producer, ${where}`)
  if (input.idle && input.inFlight.length === 0) {
    assert.ok(producer.idle || producer.watermark >= input.watermark, `I4: ${where}`)
  }
  return input.inFlight.map((frame) => frame.id)
}

/** I5: what was due has fired; I6: committed time never goes back. */
function checkTime(db: Database, name: string, cut: TaskCut, before: TaskCut | undefined): void {
  assert.ok(!before || cut.watermark >= before.watermark, `I6: the watermark of ${name} goes back`)
  for (const key of db.state.get(name)?.keys() ?? []) {
    const [kind, start] = key.split('|')
    if (kind === 'window') assert.ok(Number(start) + WINDOW - 1 > cut.watermark, `I5: ${key} of ${name} is overdue`)
  }
}

/** I3: the output is that of the state: one update a record, counted without a gap; each record in a window once. */
export function checkOutput(db: Database, name: string): void {
  const output = db.output.filter((each) => each.task === name)
  const updates = output.filter((each) => each.kind === 'update')
  assert.deepEqual(
    ascending(updates.map(({ id }) => id)),
    ascending(idsOf(db, name, 'count|')),
    `I3: updates of ${name}`,
  )
  const next = new Map<string, number>()
  for (const { key, n } of updates) {
    const expected = (next.get(key) ?? 0) + 1
    assert.equal(n, expected, `I3: the count of ${key} in ${name}`)
    next.set(key, expected)
  }
  const placed = output.flatMap((each) => (each.kind === 'close' ? each.ids : each.kind === 'late' ? [each.id] : []))
  const ids = ascending([...placed, ...idsOf(db, name, 'window|')])
  assert.deepEqual(ids, ascending(updates.map(({ id }) => id)), `I3: windows of ${name}`)
}
