/**
 * What every exact sink must do: whatever fails, and wherever a run ends, its other side has each record once, in the order
 * of its task. Driven by hand, as the engine drives it: write, note, commit; recover after a failure and at each start.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Sink, SinkBatch, SinkConnector, SinkTask } from '../../../src/index.ts'

export interface SinkCase {
  readonly name: string
  /** A sink whose other side is empty; called for each run of the property. */
  make(): Promise<{
    readonly connector: SinkConnector<any, any>
    /** What a reader of the other side finds, in its order. */
    read(): Promise<number[]>
    readonly dispose?: () => Promise<void>
  }>
}

const row = (n: number): { readonly n: number } => ({ n })

function batchOf(
  connector: SinkConnector<any, any>,
  from: number,
  length: number,
  index: number,
  last: boolean,
): SinkBatch<any, any> {
  const numbers = Array.from({ length }, (_, i) => from + i)
  const values = numbers.map((n) => (connector.value === undefined ? row(n) : connector.value.serialize(row(n), '')))
  const keys = numbers.map(() => null)
  const records = values.map((value, i) => ({ key: null, value, timestamp: from + i }))
  return {
    length,
    keys,
    values,
    timestamps: numbers,
    index,
    last,
    headers: () => undefined,
    [Symbol.iterator]: () => records[Symbol.iterator](),
  }
}

/** After which call of an epoch the run ends: the next one begins with a new sink. */
const ends = ['write', 'half', 'noted', 'commit', 'no'] as const

export function sinkContract({ name, make }: SinkCase): void {
  describe(`${name} as a sink`, () => {
    it('has each record once, whenever a run ends', async () => {
      const epochs = fc.array(
        fc.record({
          sizes: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 }),
          deaths: fc.array(fc.constantFrom(...ends), { maxLength: 2 }),
        }),
        { minLength: 1, maxLength: 6 },
      )
      await fc.assert(
        fc.asyncProperty(epochs, async (given) => {
          const { connector, read, dispose } = await make()
          const warn = () => {}
          const signal = new AbortController().signal
          const task: SinkTask = {
            applicationId: 'contract',
            name: 'sink',
            partition: 0,
            partitions: 1,
            id: 'sink-0',
            incarnation: 'life',
            signal,
            warn,
          }
          let sink: Sink<any, any> | undefined
          let noted = 0
          const opened = async (): Promise<Sink<any, any>> => {
            if (sink !== undefined) return sink
            sink = connector.create(task)
            await sink.open?.(task)
            await sink.recover?.(noted, task)
            return sink
          }
          /** What a crash leaves: nothing of the sink but its other side. Files are closed, so that the test does not run out. */
          const die = async (): Promise<void> => {
            const old = sink
            sink = undefined
            await old?.close?.(task)
          }
          let from = 0
          for (const [i, { sizes, deaths }] of given.entries()) {
            const epoch = i + 1
            for (const death of [...deaths, 'no' as const]) {
              if (noted >= epoch) break
              let at = from
              const own = await opened()
              let dead = false
              for (const [index, size] of sizes.entries()) {
                await own.write(batchOf(connector, at, size, index, index === sizes.length - 1), epoch, task)
                at += size
                if (death === 'half') {
                  dead = true
                  break
                }
              }
              if (dead || death === 'write') {
                await die()
                continue
              }
              noted = epoch
              if (death === 'noted') {
                await die()
                break
              }
              await own.commit?.(epoch, task)
              if (death === 'commit') await die()
              break
            }
            from += sizes.reduce((a, b) => a + b, 0)
          }
          await opened()
          await die()
          assert.deepEqual(
            await read(),
            Array.from({ length: from }, (_, i) => i),
          )
          await dispose?.()
        }),
        { numRuns: 25 },
      )
    }).timeout(60_000)
  })
}
