import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type Sink,
  type SinkTask,
  type Source,
  StreamsBuilder,
  type Topology,
  type TopologyEnv,
} from '../../../src/index.ts'

export interface Seen {
  readonly key: string
  readonly n: number
  readonly count: number
}

/** Lets the sources of all processes read numbers below this one, in hundreds, and hold there. */
export function allow(box: string, below: number): void {
  writeFileSync(join(box, 'allowed.new'), String(below))
  renameSync(join(box, 'allowed.new'), join(box, 'allowed'))
}

function allowed(box: string): number {
  const file = join(box, 'allowed')
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : Number.POSITIVE_INFINITY
}

/** Numbers [0, count) in each of 4 partitions, as far as the box allows; a pause of so many ms after each hundred. */
function numbers(box: string, count: number, pause: number): Source<null, { n: number; partition: number }, number> {
  return {
    partitions: 4,
    async *read(position = 0, signal, { partition }) {
      for (let n = position; n < count && !signal.aborted; n++) {
        if (pause > 0 && n % 100 === 99) await delay(pause)
        if (n % 100 === 0) while (n >= allowed(box) && !signal.aborted) await delay(5)
        if (signal.aborted) return
        yield { value: { n, partition }, timestamp: n, position: n + 1 }
      }
    },
  }
}

/** A file a batch: in `staged` until its epoch is committed, then in `done`. A batch that comes again replaces itself. */
export function boxSink(box: string): Sink<string | null, Seen> {
  const staged = join(box, 'staged')
  const done = join(box, 'done')
  for (const dir of [staged, done]) mkdirSync(dir, { recursive: true })
  const epochsOf = ({ id }: SinkTask): [string, number][] =>
    readdirSync(staged).flatMap((file) => {
      const [task, epoch] = file.split('~')
      return task === id ? [[file, Number(epoch)] as [string, number]] : []
    })
  const show = (upTo: number, task: SinkTask): void => {
    for (const [file, epoch] of epochsOf(task)) if (epoch <= upTo) renameSync(join(staged, file), join(done, file))
  }
  return {
    write({ values, index }, epoch, task) {
      writeFileSync(join(staged, `${task.id}~${epoch}~${index}`), JSON.stringify(values))
    },
    commit: show,
    recover(epoch, task) {
      show(epoch, task)
      for (const [file] of epochsOf(task)) rmSync(join(staged, file))
    },
  }
}

const filesIn = (dir: string): string[] => (existsSync(dir) ? readdirSync(dir) : [])

/** What is to be seen in the box. */
export const inBox = (box: string): Seen[] =>
  filesIn(join(box, 'done')).flatMap((file) => JSON.parse(readFileSync(join(box, 'done', file), 'utf8')) as Seen[])

/** Counts the numbers of all partitions by their last digit. */
export function ownTopology(box: string, count: number, pause: number): Topology {
  const builder = new StreamsBuilder()
  builder
    .source('numbers', numbers(box, count, pause))
    .map(({ n }) => [String(n % 10), n])
    .groupByKey()
    .aggregate(
      () => ({ n: 0, count: 0 }),
      (row, n) => ({ n, count: row.count + 1 }),
      { store: 'counts' },
    )
    .toStream()
    .map(({ n, count: so }, key): [string, Seen] => [key, { key, n, count: so }])
    .sink(boxSink(box), { name: 'box', batchRecords: 50 })
  return builder.build()
}

/** For workers. */
export default ({ settings: { box = '', count = '', pause = '' } }: TopologyEnv): Topology =>
  ownTopology(box, Number(count), Number(pause))

/** The counts of each key: complete, none twice. */
export function countsInBox(box: string): Map<string, number[]> {
  const found = new Map<string, number[]>()
  for (const { key, count } of inBox(box)) found.set(key, [...(found.get(key) ?? []), count])
  for (const list of found.values()) list.sort((a, b) => a - b)
  return found
}
