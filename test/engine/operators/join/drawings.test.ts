import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { joinWindows, type KStream, type KTable, serdes, StreamsBuilder, type Topology } from '../../../../src/index.ts'
import { TopologyTestDriver } from '../../../../src/testing/index.ts'

/** Drawings of `docs/semantics.md`: the first line says the join, the others are columns. */
const drawings = [
  ...readFileSync(new URL('../../../../docs/semantics.md', import.meta.url), 'utf8').matchAll(/```join\n(.*?)```/gs),
].map(([, text]) => {
  const [title, ...lines] = (text as string).trim().split('\n')
  const rows = new Map(lines.map((line) => line.trim().split(/\s+/)).map(([name, ...cells]) => [name as string, cells]))
  return { title: title as string, rows }
})

const text = serdes.string()
const serde = { key: text, value: text }
const joiner = (left: string | null, right: string | null) => `${left}-${right}`
const firstLetter = (value: string) => (value === '-' ? null : (value[0] as string))

function topologyOf(title: string): Topology {
  const [what, ...more] = title.split(', ') as [string, ...string[]]
  const [kind, how] = what.split(' ') as [string, 'inner' | 'left' | 'outer']
  const options = new Map(more.map((one) => [one.split(' ')[0] as string, one.split(' ')[1]]))
  const of = (name: string) => Number(options.get(name) ?? 0)
  const builder = new StreamsBuilder()
  const method = how === 'inner' ? 'join' : (`${how}Join` as 'leftJoin' | 'outerJoin')
  const stream = (topic: string): KStream<string | null, string> => builder.stream(topic, serde)
  const table = (topic: string): KTable<string, string> =>
    builder.table(topic, {
      ...serde,
      ...(options.has('versioned') ? { store: { kind: 'versioned', history: '1m' } as const } : {}),
    })
  const joined = (): unknown => {
    if (kind === 'stream-stream') {
      const left = stream('left')
      const windows = joinWindows.of(0).before(of('before')).after(of('after')).grace(of('grace'))
      return left[method as 'outerJoin'](options.has('self') ? left : stream('right'), joiner, windows)
    }
    if (kind === 'stream-table') {
      const grace = options.has('grace') ? { grace: of('grace') } : {}
      return stream('left')[method as 'leftJoin'](table('right'), joiner, grace)
    }
    if (kind === 'stream-global')
      return stream('left')[method as 'leftJoin'](builder.globalTable('right', serde), firstLetter, joiner)
    if (kind === 'table-table') return table('left')[method as 'outerJoin'](table('right'), joiner).toStream()
    return table('left')[method as 'leftJoin'](table('right'), firstLetter, joiner).toStream()
  }
  ;(joined() as KStream<string | null, string | null>).to('out', serde)
  return builder.build()
}

/** `key:value@time`; the key that all have is left out. */
function parsed(cell: string): { key: string | null; value: string | null; timestamp: number } {
  const [, key = 'k', value, time] = /^(?:(\w+):)?(.+)@(\d+)$/.exec(cell) as unknown as [
    string,
    string?,
    string?,
    string?,
  ]
  return {
    key: key === 'null' ? null : key,
    value: value === 'gone' ? null : (value as string),
    timestamp: Number(time),
  }
}

describe('the drawings of docs/semantics.md', () => {
  it('are found', () => assert.ok(drawings.length > 12))

  for (const [i, { title, rows }] of drawings.entries()) {
    it(`${i + 1}: ${title}`, () => {
      using driver = new TopologyTestDriver(topologyOf(title))
      const [left, right, out] = ['left', 'right', 'out'].map((name) => rows.get(name) as string[]) as [
        string[],
        string[],
        string[],
      ]
      assert.deepEqual([right.length, out.length], [left.length, left.length])
      const found = left.map((_, column) => {
        for (const [topic, cells] of [
          ['left', left],
          ['right', right],
        ] as const) {
          const cell = cells[column] as string
          if (cell === 'end') driver.end()
          else if (cell !== '.') {
            const { value, ...record } = parsed(cell)
            driver.input(topic).send(value, record)
          }
        }
        const results = driver.output<string | null, string | null>('out').readAll()
        const cells = results.map(({ key, value, timestamp }) => {
          const whose = key === 'k' ? '' : `${key}:`
          return `${whose}${value ?? 'gone'}@${timestamp}`
        })
        return cells.length === 0 ? '.' : cells.join(',')
      })
      assert.deepEqual(found, out)
    })
  }
})
