/**
 * What sums by city and minute would win from columns: typed arrays of numbers in the place of an object a record.
 *
 *     node bench/spikes/columns.ts [records] [rounds]
 *
 * Four loops over the same bytes in turn, the best of the rounds, in millions of records per CPU second: fields read as
 * objects and summed up by them; the same fields read into columns and summed up from these; and both sums alone, over what
 * had been read. All four must come to the same sums.
 */
import assert from 'node:assert/strict'
import { serdes } from '../../src/index.ts'
import type { JsonFieldsSerde } from '../../src/dsl/serdes/json-fields.ts'
import { skipNumber, skipSpace, skipString, skipValue } from '../../src/dsl/serdes/json-skip.ts'
import { orderGenerator } from '../workload/orders.ts'

interface Row {
  readonly city: string
  readonly amount: number
  readonly ts: number
}

interface Cell {
  count: number
  sum: number
}

const minute = 60_000
const [records = 500_000, rounds = 9] = process.argv.slice(2).map(Number)
const { bytes, ends } = encoded(records)
const serde = serdes.json({ fields: { city: 'string', amount: 'number', ts: 'number' } }) as unknown as JsonFieldsSerde

function encoded(count: number): { readonly bytes: Buffer; readonly ends: Uint32Array } {
  const next = orderGenerator({ keys: 'uniform', seed: 1 })
  const texts = Array.from({ length: count }, () => Buffer.from(JSON.stringify(next())))
  const ends = new Uint32Array(count + 1)
  for (const [i, text] of texts.entries()) ends[i + 1] = (ends[i] as number) + text.length
  return { bytes: Buffer.concat(texts), ends }
}

function readObjects(): Row[] {
  const rows = new Array<Row>(records)
  for (let i = 0; i < records; i++)
    rows[i] = serde.read(bytes, ends[i] as number, ends[i + 1] as number, 'orders') as Row
  return rows
}

/** Cities are numbered as they come, by their bytes: no string is made but for a new one. */
class Columns {
  readonly city = new Uint16Array(records)
  readonly amount = new Float64Array(records)
  readonly ts = new Float64Array(records)
  readonly names: string[] = []
  private readonly byHash = new Map<number, number>()

  read(): void {
    const b = bytes
    for (let row = 0; row < records; row++) {
      const end = ends[row + 1] as number
      let i = skipSpace(b, (ends[row] as number) + 1, end)
      while (b[i] !== 0x7d) {
        const k = i + 1
        i = skipString(b, k, end)
        const length = i - k
        i = skipSpace(b, skipSpace(b, i + 1, end) + 1, end)
        if (length === 4 && b[k] === 0x63 && b[k + 1] === 0x69) i = this.cityAt(row, i + 1, end)
        else if (length === 6 && b[k] === 0x61 && b[k + 1] === 0x6d) i = this.numberAt(this.amount, row, i, end)
        else if (length === 2 && b[k] === 0x74 && b[k + 1] === 0x73) i = this.numberAt(this.ts, row, i, end)
        else i = skipValue(b, i, end)
        i = skipSpace(b, i, end)
        if (b[i] === 0x2c) i = skipSpace(b, i + 1, end)
      }
    }
  }

  private cityAt(row: number, start: number, end: number): number {
    const stop = skipString(bytes, start, end)
    let hash = 0x811c9dc5
    for (let i = start; i < stop; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193)
    let id = this.byHash.get(hash)
    if (id === undefined) {
      id = this.names.push(bytes.latin1Slice(start, stop)) - 1
      this.byHash.set(hash, id)
    }
    this.city[row] = id
    return stop + 1
  }

  private numberAt(column: Float64Array, row: number, start: number, end: number): number {
    const stop = skipNumber(bytes, start, end)
    let n = 0
    for (let i = start; i < stop; i++) n = n * 10 + ((bytes[i] as number) - 0x30)
    column[row] = n
    return stop
  }
}

/** As an expert writes it: a map by city of maps by window. */
function sumObjects(rows: readonly Row[]): Map<string, Map<number, Cell>> {
  const cities = new Map<string, Map<number, Cell>>()
  for (const { city, amount, ts } of rows) {
    const start = ts - (ts % minute)
    let windows = cities.get(city)
    if (windows === undefined) cities.set(city, (windows = new Map()))
    let cell = windows.get(start)
    if (cell === undefined) windows.set(start, (cell = { count: 0, sum: 0 }))
    cell.count++
    cell.sum += amount
  }
  return cities
}

/** A row of cells a minute, from the first one on. */
function sumColumns({ city, amount, ts, names }: Columns): Map<string, Map<number, Cell>> {
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const time of ts) {
    if (time < first) first = time
    if (time > last) last = time
  }
  first -= first % minute
  const width = names.length
  const cells = (Math.floor((last - first) / minute) + 1) * width
  const [counts, sums] = [new Float64Array(cells), new Float64Array(cells)]
  for (let i = 0; i < records; i++) {
    const at = ((((ts[i] as number) - first) / minute) | 0) * width + (city[i] as number)
    counts[at] = (counts[at] as number) + 1
    sums[at] = (sums[at] as number) + (amount[i] as number)
  }
  const found = new Map(names.map((name) => [name, new Map<number, Cell>()]))
  for (let at = 0; at < cells; at++) {
    const start = first + Math.floor(at / width) * minute
    if (counts[at] !== 0)
      found.get(names[at % width] as string)?.set(start, { count: counts[at] as number, sum: sums[at] as number })
  }
  return found
}

const rows = readObjects()
const columns = new Columns()
columns.read()
const loops: Readonly<Record<string, () => Map<string, Map<number, Cell>>>> = {
  'objects: read and sum': () => sumObjects(readObjects()),
  'columns: read and sum': () => {
    columns.read()
    return sumColumns(columns)
  },
  'objects: sum alone': () => sumObjects(rows),
  'columns: sum alone': () => sumColumns(columns),
}
const best = new Map<string, number>()
const right = sumObjects(rows)
for (let round = 0; round < rounds; round++) {
  for (const [name, loop] of Object.entries(loops)) {
    const before = process.cpuUsage()
    const sums = loop()
    const { user, system } = process.cpuUsage(before)
    assert.deepEqual(sums, right)
    best.set(name, Math.max(best.get(name) ?? 0, records / (user + system)))
  }
}
for (const [name, rate] of best) console.log(`${name.padEnd(24)} ${rate.toFixed(2)} M/s`)
