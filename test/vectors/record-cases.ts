/** Random cases for `Record.java`: topologies by their options, and input that is out of order, late, with null keys and values. */
export interface Input {
  readonly t: 'left' | 'right'
  readonly k: string | null
  readonly v: string | null
  ts: number
}

export type Kind =
  | 'stream-stream'
  | 'stream-table'
  | 'table-table'
  | 'foreign'
  | 'filter-group'
  | 'aggregate'
  | 'reduce'
  | 'window'
  | 'cogroup'
  | 'global'
  | 'totable'

export type Case = { readonly kind: Kind; readonly in: Input[] } & Readonly<Record<string, unknown>>

/** What `Record.java` reads of a kind's options. */
const options: Readonly<Record<Kind, readonly string[]>> = {
  'stream-stream': ['how', 'size', 'before', 'after', 'grace'],
  'stream-table': ['how', 'vr'],
  'table-table': ['how', 'vl', 'vr', 'vj', 'mat'],
  foreign: ['how', 'vl', 'vr'],
  'filter-group': ['vl', 'filter'],
  aggregate: [],
  reduce: [],
  window: ['window', 'size', 'advance', 'grace', 'emit', 'suppress'],
  cogroup: ['window', 'size', 'grace'],
  global: ['how'],
  totable: ['vl'],
}

const tables = new Set<Kind>(['table-table', 'foreign', 'filter-group', 'totable'])
const twoInputs = new Set<Kind>(['stream-stream', 'stream-table', 'table-table', 'foreign', 'cogroup', 'global'])

/** The same cases for the same seed; each has eight records or more. */
export function* casesOf(seed: number, counts: readonly (readonly [Kind, number])[]): Generator<Case> {
  const random = new Random(seed)
  for (const [kind, count] of counts) {
    for (let n = 0; n < count; ) {
      const made = makeCase(kind, random)
      if (made === undefined) continue
      n++
      yield made
    }
  }
}

class Random {
  private state: number

  constructor(seed: number) {
    this.state = seed
  }

  below(n: number): number {
    this.state = (this.state * 48271) % 0x7fffffff
    return this.state % n
  }

  of<T>(...all: readonly T[]): T {
    return all[this.below(all.length)] as T
  }
}

function makeCase(kind: Kind, random: Random): Case | undefined {
  const how = random.of('join', 'leftJoin', ...(kind === 'stream-stream' || kind === 'table-table' ? ['outerJoin'] : []))
  const flag = () => random.below(2) === 0
  const made: Record<string, unknown> = { how, vl: flag(), vr: flag(), vj: flag(), mat: flag(), filter: flag() }
  let size = random.of(0, 1, 3, 10)
  let grace = random.of(0, 2, 5, 1000)
  made['before'] = random.of(0, 2, 5)
  made['after'] = random.of(0, 2, 5)
  const close = random.of('update', 'close') === 'close'
  if (kind === 'window') {
    made['window'] = random.of('session', 'sliding', 'hopping')
    if (made['window'] !== 'sliding' && size === 0) size = 4
    made['advance'] = Math.min(size, Math.max(1, random.of(size, 1, 2)))
    // when results come out on close is argued in docs/semantics.md, and held by the drawings there
    made['emit'] = 'update'
    if (!close && random.below(3) === 0) made['suppress'] = true
  }
  if (kind === 'cogroup') {
    if (random.below(2) === 1) made['window'] = true
    if (size === 0) size = 4
  }
  if (kind === 'stream-table' && random.below(2) === 1) {
    made['vr'] = true
    random.below(3)
  }
  const records = inputOf(kind, random)
  if (records.length < 8) return undefined
  if (kind === 'stream-stream' && how === 'join') grace = 1000
  else if (kind === 'stream-stream') closeAll(records)
  Object.assign(made, { size, grace })
  const own = options[kind].flatMap((name) => (made[name] === undefined ? [] : [[name, made[name]] as const]))
  return { kind, ...Object.fromEntries(own), in: records }
}

/** Which unmatched record is late is argued; of input in order none is, and in the end all windows are over. */
function closeAll(records: Input[]): void {
  let now = 0
  for (const record of records) {
    now = Math.max(now, record.ts)
    record.ts = now
  }
  for (const t of ['left', 'right'] as const) records.push({ t, k: 'last', v: 'last', ts: now + 5000 })
}

function inputOf(kind: Kind, random: Random): Input[] {
  const records: Input[] = []
  let now = 0
  const count = 4 + random.below(14)
  for (let i = 0; i < count; i++) {
    now += random.of(0, 1, 1, 2, 3, 8)
    const ts = Math.max(0, now - random.of(0, 0, 0, 1, 3, 6, 12))
    const left = !twoInputs.has(kind) || random.below(2) === 0
    records.push({ t: left ? 'left' : 'right', k: keyOf(kind, left, random), v: valueOf(kind, left, i, random), ts })
  }
  return records
}

const isTable = (kind: Kind, left: boolean) =>
  tables.has(kind) || ((kind === 'stream-table' || kind === 'global') && !left)

function keyOf(kind: Kind, left: boolean, random: Random): string | null {
  if ((kind === 'foreign' || kind === 'global') && !left) return random.of('p', 'q')
  if (!isTable(kind, left) && kind !== 'window' && random.below(15) === 0) return null
  return random.of('a', 'b')
}

function valueOf(kind: Kind, left: boolean, i: number, random: Random): string | null {
  const never = kind === 'window' || kind === 'cogroup' || kind === 'global'
  if (isTable(kind, left) ? random.below(4) === 0 : !never && random.below(15) === 0) return null
  const named = kind === 'foreign' || kind === 'global' ? ['-'] : []
  const deleting = kind === 'aggregate' || kind === 'reduce' ? ['d'] : []
  return random.of('p', 'q', ...named, ...deleting) + i + random.of('', '', 'x')
}
