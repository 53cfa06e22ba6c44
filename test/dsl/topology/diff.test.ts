import assert from 'node:assert/strict'
import { diffTopologies, isTopologyJson, type TopologyJson } from '../../../src/dsl/topology/diff.ts'
import { type Serde, serdes, StreamsBuilder, windows } from '../../../src/index.ts'

const key = serdes.string()
const source = { key, value: serdes.json<{ city: string }>(), nullKeys: 'drop' } as const

function json(make: (builder: StreamsBuilder) => void): TopologyJson {
  const builder = new StreamsBuilder()
  make(builder)
  const data: unknown = JSON.parse(JSON.stringify(builder.build().toJSON()))
  assert.ok(isTopologyJson(data))
  return data
}

const counting = (store: string, size = 10, extra = false) =>
  json((builder) => {
    const orders = builder.stream('orders', source)
    const stream = extra ? orders.filter((o) => o.city !== '', { name: 'known' }) : orders
    stream
      .groupByKey()
      .windowedBy(windows.tumbling(size).noGrace())
      .count({ name: 'count', store })
      .toStream({ name: 'changes' })
      .to(extra ? 'counts-2' : 'counts', { key: serdes.windowed(key), value: serdes.number(), name: 'out' })
  })

const versioned = (version: number) => {
  const value: Serde<number> = serdes.from({ version, serialize: () => Buffer.of(), deserialize: () => 0 })
  return json((builder) => builder.table('rows', { key, value, store: 'rows' }))
}

describe('the difference of two topologies', () => {
  it('is nothing where they are one', () => {
    assert.deepEqual(diffTopologies(counting('counts'), counting('counts')), {
      lines: ['Nothing changes.'],
      refused: false,
    })
  })

  it('tells steps and topics that come and go, and keeps the state', () => {
    assert.deepEqual(diffTopologies(counting('counts'), counting('counts', 10, true)), {
      lines: [
        '+ step known (filter) after orders',
        '~ step count reads known; it read orders',
        '- topic counts is not written any more',
        '+ topic counts-2 is written',
      ],
      refused: false,
    })
  })

  it('tells what of the state would be refused, and the way out', () => {
    assert.deepEqual(diffTopologies(counting('counts'), counting('numbers')), {
      lines: [
        "! store 'counts' (window) is gone: say {renames} or {allowNonRestoredState: true}",
        "+ store 'numbers' (window) begins empty",
      ],
      refused: true,
    })
    const { lines, refused } = diffTopologies(counting('counts'), counting('counts', 20))
    assert.equal(refused, true)
    assert.match(lines.join('\n'), /^! windows of 'counts' were \{.*"size":10.*\} and are \{.*"size":20/)
  })

  it('tells of values that are migrated', () => {
    const { lines, refused } = diffTopologies(versioned(1), versioned(2))
    assert.equal(refused, false)
    assert.match(
      lines.join('\n'),
      /^~ values of 'rows' were of version 1 and are of version 2: migrated as they are read/,
    )
  })

  it('tells of repartitions that come, go, or have other partitions', () => {
    const through = (partitions: number | undefined, moved = true) =>
      json((builder) => {
        const stream = builder.stream('orders', source)
        const keyed = moved ? stream.selectKey((o) => o.city, { name: 'city' }) : stream
        keyed.repartition({ name: 'cities', ...(partitions === undefined ? {} : { partitions }) }).forEach(() => {})
        if (moved) keyed.groupByKey().count({ store: 'counts', name: 'count' })
      })
    assert.deepEqual(diffTopologies(through(2), through(3)), {
      lines: ["! repartition 'cities' had 2 partitions and has 3: start from a savepoint, which is spread anew"],
      refused: true,
    })
    assert.match(diffTopologies(through(undefined), through(3)).lines.join(), /had as many as its input partitions and/)
    assert.ok(diffTopologies(through(2, false), through(2)).lines.includes('+ repartition counts-repartition'))
    const gone = '- repartition counts-repartition: refused while records are in flight to it'
    assert.ok(diffTopologies(through(2), through(2, false)).lines.includes(gone))
    const { repartitions: _, ...before } = through(2)
    assert.deepEqual(diffTopologies(before, through(2)).lines, ['Nothing changes.'])
  })
})
