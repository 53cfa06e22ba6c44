import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import {
  embeddedBroker,
  type KStream,
  type Serde,
  serdes,
  StreamsBuilder,
  type Topology,
} from '../../../../src/index.ts'
import { read, runToEnd, type Sent, send } from '../run.ts'

const key = serdes.string()
const json = serdes.json<number>()

/** What a version of the topology has besides the two steps that stay. */
interface Version {
  /** Steps put before the count, each of which changes no record. */
  readonly before: readonly ('filter' | 'mapValues' | 'peek' | 'repartition')[]
  /** Another aggregate, with a store that gets a number for its name. */
  readonly beside: boolean
  readonly behind: boolean
  /** Of the sums' values; 0: none. */
  readonly schema: number
  readonly keys: readonly number[]
}

const versions = fc
  .array(
    fc.record({
      before: fc.array(
        fc.constantFrom('filter' as const, 'mapValues' as const, 'peek' as const, 'repartition' as const),
        {
          maxLength: 3,
        },
      ),
      beside: fc.boolean(),
      behind: fc.boolean(),
      schema: fc.nat(3),
      keys: fc.array(fc.nat(3), { minLength: 1, maxLength: 12 }),
    }),
    { minLength: 2, maxLength: 4 },
  )
  // a schema never goes back, and is not left out once there was one
  .map((all) => {
    let highest = 0
    return all.map((one): Version => ({ ...one, schema: (highest = Math.max(highest, one.schema)) }))
  })

interface Sum {
  readonly schema: number
  readonly sum: number
}

/** Refuses what another version has written, unless it comes through `migrate`. */
function schemaSerde(schema: number, migrated: string[]): Serde<Sum> {
  return serdes.from<Sum>({
    ...(schema === 0 ? {} : { version: schema }),
    serialize: (value) => Buffer.from(JSON.stringify(value)),
    deserialize: (bytes) => JSON.parse(Buffer.from(bytes).toString()) as Sum,
    ...(schema === 0
      ? {}
      : {
          migrate: (old: unknown, from: number) => {
            const { schema: wrote, sum } = old as Sum
            migrated.push(`${wrote}`)
            assert.equal(wrote, from)
            return { schema, sum }
          },
        }),
  })
}

function topologyOf({ before, beside, behind, schema }: Version, migrated: string[]): Topology {
  const builder = new StreamsBuilder()
  let stream = builder.stream('orders', { key, value: json, nullKeys: 'drop' }) as KStream<string, number>
  if (beside) stream.groupByKey().reduce((_, n) => n)
  for (const step of before) {
    if (step === 'filter') stream = stream.filter(() => true)
    else if (step === 'mapValues') stream = stream.mapValues((n) => n)
    else if (step === 'peek') stream = stream.peek(() => {})
    else stream = stream.repartition({ key, value: json })
  }
  let counts = stream.groupByKey().count({ store: 'counts' }).toStream()
  if (behind) counts = counts.filter((n) => n > 0)
  counts.to('counts', { key, value: json })
  stream
    .groupByKey()
    .aggregate(
      (): Sum => ({ schema, sum: 0 }),
      (total, n) => {
        assert.equal(total.schema, schema, 'a value of another version')
        return { schema, sum: total.sum + n }
      },
      { store: 'sums', value: schemaSerde(schema, migrated) },
    )
    .toStream()
    .mapValues(({ sum }) => sum)
    .to('sums', { key, value: json })
  return builder.build()
}

describe('versions of a topology, one after the other', () => {
  it('keep the state of what kept its name, and read each row once with the schema it was written with', async () => {
    await fc.assert(
      fc.asyncProperty(versions, async (all) => {
        const broker = embeddedBroker()
        const counts: Record<string, number> = {}
        const sums: Record<string, number> = {}
        const written: Record<string, number> = {}
        let time = 1000
        for (const version of all) {
          const migrated: string[] = []
          const orders = version.keys.map((k, i): Sent => ({ key: `k${k}`, value: i + 1, timestamp: time++ }))
          const expected: string[] = []
          for (const { key: k, value } of orders) {
            counts[k] = (counts[k] ?? 0) + 1
            sums[k] = (sums[k] ?? 0) + (value as number)
            if (written[k] !== undefined && written[k] !== version.schema) expected.push(`${written[k]}`)
            written[k] = version.schema
          }
          await send(broker, 'orders', orders)
          await runToEnd({ topology: topologyOf(version, migrated), broker, allowNonRestoredState: true })
          assert.deepEqual(migrated.sort(), expected.sort())
        }
        const last = async (topic: string) =>
          Object.fromEntries((await read(broker, topic)).map(({ key: k, value }) => [k, value]))
        assert.deepEqual([await last('counts'), await last('sums')], [counts, sums])
        await broker[Symbol.asyncDispose]()
      }),
      { numRuns: Number(process.env['RUNS'] ?? 12) },
    )
  }).timeout(60_000)
})
