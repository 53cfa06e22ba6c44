import {
  type AppOptions,
  embeddedBroker,
  type Sink,
  type SinkBatch,
  type SinkTask,
  type Source,
  StreamsApp,
  type Topology,
} from '../../../src/index.ts'

export interface Entry {
  readonly key: unknown
  readonly value: unknown
  readonly timestamp: number
}

/** What a sink's other side has of one task. */
interface Table {
  rows: Entry[]
  /** The last batch that was taken. */
  at: readonly [epoch: number, index: number]
  /** Written, not committed. */
  prepared: { readonly epoch: number; readonly rows: Entry[] }[]
  committed: number
}

/** Another system: it outlives the apps that write to it. May fail, before or after it has done what it was told. */
export class World {
  readonly tables = new Map<string, Table>()
  readonly calls: string[] = []
  private readonly fails: () => 'before' | 'after' | undefined

  constructor(fails: () => 'before' | 'after' | undefined = () => undefined) {
    this.fails = fails
  }

  get rows(): Entry[] {
    return [...this.tables.values()].flatMap(({ rows }) => rows)
  }

  /** Remembers the last batch of each task, with its records. */
  idempotent(): Sink<any, any> {
    return {
      write: (batch, epoch, task) =>
        this.act(`write ${task.id} ${epoch}.${batch.index}`, () => {
          const table = this.table(task)
          const [lastEpoch, lastIndex] = table.at
          if (epoch < lastEpoch || (epoch === lastEpoch && batch.index <= lastIndex)) return
          table.rows.push(...entries(batch))
          table.at = [epoch, batch.index]
        }),
    }
  }

  twoPhase(): Sink<any, any> {
    return {
      write: (batch, epoch, task) =>
        this.act(`write ${task.id} ${epoch}.${batch.index}`, () => {
          this.table(task).prepared.push({ epoch, rows: entries(batch) })
        }),
      commit: (epoch, task) => this.act(`commit ${task.id} ${epoch}`, () => this.settle(task, epoch)),
      recover: (epoch, task) =>
        this.act(`recover ${task.id} ${epoch}`, () => {
          this.settle(task, epoch)
          this.table(task).prepared = []
        }),
    }
  }

  private settle(task: SinkTask, epoch: number): void {
    const table = this.table(task)
    for (const { epoch: e, rows } of table.prepared) if (e <= epoch) table.rows.push(...rows)
    table.prepared = table.prepared.filter(({ epoch: e }) => e > epoch)
    table.committed = Math.max(epoch, table.committed)
  }

  private table({ id }: SinkTask): Table {
    let table = this.tables.get(id)
    if (table === undefined) {
      table = { rows: [], at: [0, 0], prepared: [], committed: 0 }
      this.tables.set(id, table)
    }
    return table
  }

  private async act(what: string, fn: () => void): Promise<void> {
    this.calls.push(what)
    const fails = this.fails()
    await new Promise(setImmediate)
    if (fails === 'before') throw new Error('not reached')
    fn()
    if (fails === 'after') throw new Error('no answer')
  }
}

const entries = (batch: SinkBatch<unknown, unknown>): Entry[] => [...batch]

/** 0, 1, 2, … spread over partitions: number n at time n with the key n mod 5. */
export function numbers(count: number, partitions = 2, batch = 7): Source<string, number, number> {
  return {
    partitions,
    async *read(position = 0, _signal, { partition }) {
      for (let at = position; at < count; at += batch) {
        const end = Math.min(count, at + batch)
        const records = Array.from({ length: end - at }, (_, i) => at + i)
          .filter((n) => n % partitions === partition)
          .map((n) => ({ value: n, key: `k${n % 5}`, timestamp: n }))
        await new Promise(setImmediate)
        yield { records, position: end }
      }
    },
  }
}

/** Runs a topology until its sources have ended. */
export async function run(topology: Topology, broker = embeddedBroker(), options: Partial<AppOptions> = {}) {
  await using app = new StreamsApp({ applicationId: 'own', topology, broker, ...options })
  await app.start()
  return await app.completed
}

/** In the order of numbers. */
export const valuesOf = (rows: readonly Entry[]): unknown[] =>
  rows.map(({ value }) => value).sort((a, b) => Number(a) - Number(b))
