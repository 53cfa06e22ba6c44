import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { TopologyTestDriver } from '../../../src/testing/index.ts'
import { drawnTopology, titleOf } from './drawn-topologies.ts'

/**
 * Drawings of `docs/semantics.md`: the first line says what is drawn, the others are columns. Rows named `out` and `late` are
 * what comes out, all others are inputs.
 */
const drawings = [
  ...readFileSync(new URL('../../../docs/semantics.md', import.meta.url), 'utf8').matchAll(/```flow\n(.*?)```/gs),
].map(([, block]) => {
  const [title = '', ...lines] = (block as string).trim().split('\n')
  const rows = new Map(lines.map((line) => line.trim().split(/\s+/)).map(([name, ...cells]) => [name as string, cells]))
  return { title, rows }
})

const results = ['out', 'late']

interface Cell {
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
}

/** Milliseconds, or an hour of 2026 in UTC: `03-28T23Z`, `01-31T18:30Z`. */
function timeOf(text: string): number {
  const [, date, minutes = ''] = /^(\d\d-\d\dT\d\d)(:\d\d)?Z$/.exec(text) ?? []
  return date === undefined ? Number(text) : Date.parse(`2026-${date}${minutes || ':00'}Z`)
}

const textOf = (time: number, dated: boolean): string =>
  dated ? new Date(time).toISOString().slice(5, 16).replace(/:00$/, '').concat('Z') : `${time}`

function parsed(cell: string): Cell {
  const [, key = 'k', value = '', time = ''] =
    /^(?:(\w+):)?(.+)@([\dTZ:-]+)$/.exec(cell) ?? assert.fail(`no cell: ${cell}`)
  return { key: key === 'null' ? null : key, value: value === 'gone' ? null : value, timestamp: timeOf(time) }
}

/** Does what a cell says: a record, the end, the clock moves on. */
function act(driver: TopologyTestDriver, topic: string, cell: string): void {
  if (cell === '.') return
  if (cell === 'end') driver.end()
  else if (cell.startsWith('clock+')) driver.advanceWallClock(Number(cell.slice(6)))
  else {
    const { value, ...record } = parsed(cell)
    driver.input(topic).send(value, record)
  }
}

const drawn = (driver: TopologyTestDriver, topic: string, dated: boolean): string => {
  const cells = driver
    .output<string | null, string | null>(topic)
    .readAll()
    .map(({ key, value, timestamp }) => {
      const windowed = /\.\./.test(key ?? '')
      const name = dated ? key?.replace(/\d+/g, (time) => textOf(Number(time), true)) : key
      const whose = key === 'k' ? '' : `${name}${windowed ? '=' : ':'}`
      return `${whose}${value ?? 'gone'}@${textOf(timestamp, dated)}`
    })
  return cells.length === 0 ? '.' : cells.join(',')
}

describe('the drawings of windows, tables and the rest in docs/semantics.md', () => {
  it('are found', () => assert.ok(drawings.length > 25))

  for (const [i, { title, rows }] of drawings.entries()) {
    // calls that have answered are asked again after a crash, and answer when they like
    for (const crashes of title.startsWith('mapAsync') ? [false] : [false, true]) {
      it(`${i + 1}: ${title}${crashes ? ', through crashes' : ''}`, async () => {
        const inputs = [...rows].filter(([name]) => !results.includes(name))
        const outputs = [...rows.keys()].filter((name) => results.includes(name))
        const columns = inputs[0]?.[1].length ?? 0
        for (const [name, cells] of rows) assert.equal(cells.length, columns, name)
        using driver = new TopologyTestDriver(drawnTopology(titleOf(title)))
        const found = new Map(outputs.map((name) => [name, [] as string[]]))
        for (let column = 0; column < columns; column++) {
          for (const [name, cells] of inputs) {
            // calls answer when they are waited for, not before
            if (cells[column] === 'answers') await driver.settled()
            else act(driver, name, cells[column] as string)
          }
          for (const [name, cells] of found) cells.push(drawn(driver, name, title.includes('/')))
          if (!crashes) continue
          driver.checkpoint()
          driver.crash()
        }
        for (const [name, cells] of found) assert.deepEqual(cells, rows.get(name), name)
      })
    }
  }
})
