/**
 * What every source must do. A case makes one whose other side holds some records, each partition in its order.
 *
 *     read all  ─  read from each position  ─  stop in the middle  ─  crash and restart in a job
 */
import assert from 'node:assert/strict'
import type { SourceItem, SourceTask, StreamsBuilder, KStream } from '../../../src/index.ts'
import { embeddedBroker, StreamsApp, StreamsBuilder as Builder } from '../../../src/index.ts'
import { World } from '../../engine/connect/worlds.ts'

export interface SourceCase {
  readonly name: string
  /** Puts `count` records there; called once a test. */
  make(count: number): Promise<{
    /** Values as numbers 0 … count - 1. */
    attach(builder: StreamsBuilder): KStream<any, number>
    readonly source: { read(position: any, signal: AbortSignal, task: SourceTask): any; readonly partitions?: number }
    readonly dispose?: () => Promise<void>
  }>
}

type Item = SourceItem<unknown, unknown, unknown>

const countOf = (item: Item): number =>
  'records' in item ? item.records.length : 'values' in item ? item.values.length : 1

export function sourceContract({ name, make }: SourceCase): void {
  describe(`${name} as a source`, () => {
    const task = (ending = new AbortController()): SourceTask => ({
      name: 'contract',
      partition: 0,
      partitions: 1,
      ending: ending.signal,
      warn: () => {},
    })
    const ended = (): AbortController => {
      const ending = new AbortController()
      ending.abort()
      return ending
    }

    it('gives the same records behind each position that it has given', async () => {
      const { source, dispose } = await make(50)
      const read = async (position: unknown): Promise<{ readonly n: number; readonly position: unknown }[]> => {
        const found = []
        const stop = new AbortController()
        for await (const item of source.read(position, stop.signal, task(ended())))
          found.push({ n: countOf(item), position: item.position })
        stop.abort()
        return found
      }
      const all = await read(undefined)
      const total = all.reduce((sum, { n }) => sum + n, 0)
      assert.equal(total, 50)
      let before = 0
      for (const { n, position } of all) {
        before += n
        const rest = await read(structuredClone(position))
        assert.equal(
          rest.reduce((sum, item) => sum + item.n, 0),
          total - before,
        )
      }
      await dispose?.()
    })

    it('lets go when nobody wants more', async () => {
      const { source, dispose } = await make(50)
      const stop = new AbortController()
      const items = source.read(undefined, stop.signal, task())[Symbol.asyncIterator]() as AsyncIterator<Item>
      assert.ok(!(await items.next()).done)
      stop.abort()
      await items.return?.()
      await dispose?.()
    })

    it('is exact over crashes in a job', async () => {
      const { attach, dispose } = await make(400)
      const world = new World()
      const broker = embeddedBroker()
      for (const death of [90, 150, Number.POSITIVE_INFINITY]) {
        let seen = 0
        const builder = new Builder()
        attach(builder)
          .peek(() => {
            if (++seen >= death) throw new Error('the process dies')
          })
          .sink(world.idempotent(), { name: 'out', batchRecords: 20 })
        const app = new StreamsApp({
          applicationId: 'contract',
          topology: builder.build(),
          broker,
          checkpointInterval: 0,
        })
        await app.start().catch(() => {})
        app.endInputs()
        await app.completed.catch(() => {})
        await app.close()
      }
      const values = world.rows.map(({ value }) => Number(value)).sort((a, b) => a - b)
      assert.deepEqual(
        values,
        Array.from({ length: 400 }, (_, i) => i),
      )
      await broker[Symbol.asyncDispose]()
      await dispose?.()
    })
  })
}
