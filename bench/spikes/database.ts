/**
 * What the database costs: epochs, reopening after kill -9, reads, readers beside a writer; and what the codecs cost.
 *
 *     node bench/spikes/database.ts [keys]
 *
 * Times are medians of several runs, in milliseconds unless named.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { Packr } from 'msgpackr'
import { median } from '../harness/statistics.ts'
import { openRocks, readRocks, type RocksBackend } from '../../src/state/backends/index.ts'
import { binding } from '../../src/state/backends/rocksdb-binding.ts'
import { copyValue, decodeValue, encodeKey, encodeValue, keyId, ValueWriter } from '../../src/state/codec/index.ts'

const value = Buffer.alloc(60, 7)
// Kept, so that no work is optimised away.
let sink: unknown

function keyOf(i: number): Buffer {
  const key = Buffer.allocUnsafe(16)
  key.writeUInt32BE(1, 0)
  key.writeUInt32BE(0, 4)
  key.writeDoubleBE(i, 8)
  return key
}

/** A permutation of 0..n-1 without a table: a multiplication by an odd prime modulo n. */
const scattered = (i: number, n: number): number => (i * 7_368_787) % n

function timed(runs: number, body: (run: number) => void): number {
  const times: number[] = []
  for (let run = 0; run < runs; run++) {
    const start = performance.now()
    body(run)
    times.push(performance.now() - start)
  }
  return median(times)
}

const show = (what: string, result: string): void => console.log(`${what.padEnd(58)} ${result}`)
const ms = (time: number): string => `${time.toFixed(2)} ms`

function load(db: RocksBackend, keys: number): void {
  for (let from = 0; from < keys; from += 10_000) {
    const batch = db.batch()
    for (let i = from; i < Math.min(keys, from + 10_000); i++) batch.put(keyOf(i), value)
    batch.commit()
  }
}

async function epochs(path: string, keys: number): Promise<void> {
  for (const walCompression of [false, true]) {
    const db = await openRocks(join(path, `epochs-${walCompression}`), { walCompression })
    load(db, keys)
    for (const puts of [10_000, 100_000]) {
      // In turns, so that what the compaction does meanwhile meets both.
      const fills: number[][] = [[], []]
      const commits: number[][] = [[], []]
      for (let run = 0; run < (puts === 10_000 ? 30 : 10); run++) {
        const chosen = Array.from({ length: puts }, (_, i) => scattered(i * 3 + run, keys))
        if (run % 2 === 0) chosen.sort((a, b) => a - b)
        const encoded = chosen.map(keyOf)
        const start = performance.now()
        const batch = db.batch()
        for (const key of encoded) batch.put(key, value)
        const filled = performance.now()
        batch.commit()
        fills[run % 2]?.push(filled - start)
        commits[run % 2]?.push(performance.now() - filled)
      }
      const log = walCompression ? ', log compressed' : ''
      for (const [at, order] of ['sorted', 'unsorted'].entries()) {
        const [fill, commit] = [median(fills[at] as number[]), median(commits[at] as number[])]
        show(`epoch of ${puts} puts, ${order}${log}`, `fill ${ms(fill)}, commit ${ms(commit)}`)
      }
    }
    const batch = db.batch()
    const synced = timed(9, () => {
      for (let i = 0; i < 1000; i++) batch.put(keyOf(i), value)
      batch.commit({ sync: true })
    })
    show('1000 puts, forced to the disk', ms(synced))
    await db.close()
  }
}

async function reopening(path: string, keys: number): Promise<void> {
  const dir = join(path, 'killed')
  const child = spawn(process.execPath, [import.meta.filename, 'write', dir, String(keys)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  const start = performance.now()
  const db = await openRocks(dir, { createIfMissing: false })
  show(`reopening after kill -9, ${keys} keys`, ms(performance.now() - start))
  if (db.get(keyOf(keys - 1)) === undefined) throw new Error('the last committed key is gone')
  await db.close()
}

async function reads(db: RocksBackend, keys: number): Promise<void> {
  const native = binding()
  const { db: inner } = db as unknown as { db: ReturnType<typeof native.db_init> }
  const pick = (run: number): Buffer[] => Array.from({ length: 1000 }, (_, i) => keyOf(scattered(run * 1000 + i, keys)))
  const sets = Array.from({ length: 40 }, (_, run) => pick(run))
  const sorted = sets.map((set) => set.toSorted(Buffer.compare))
  const many = (from: Buffer[][]): number => timed(from.length, (run) => db.getMany(from[run] as Buffer[]))
  const perSecond = (time: number): string => `${ms(time)}, ${(1000 / time).toFixed(0)} K/s`
  many(sets)
  show('getMany of 1000 scattered keys', perSecond(many(sets)))
  show('getMany of the same, sorted', perSecond(many(sorted)))
  show(
    'get of 1000, one by one',
    perSecond(
      timed(40, (run) => {
        for (const key of sets[run] as Buffer[]) db.get(key)
      }),
    ),
  )
  const waits: number[] = []
  for (const set of sets) {
    const start = performance.now()
    await new Promise<void>((resolve, reject) =>
      native.db_get_many(inner, set, { valueEncoding: 'buffer' }, (error) => (error ? reject(error) : resolve())),
    )
    waits.push(performance.now() - start)
  }
  show('asynchronous multi-get of 1000', perSecond(median(waits)))
  const range = (i: number): { gte: Buffer; lt: Buffer } => ({ gte: keyOf(i), lt: keyOf(i + 5) })
  const starts = Array.from({ length: 1000 }, (_, i) => scattered(i, keys - 5))
  const collected = timed(15, () => {
    for (const i of starts) db.collect(range(i))
  })
  const iterated = timed(15, () => {
    for (const i of starts) for (const _ of db.range(range(i)));
  })
  show('1000 ranges of 5 rows by collect', perSecond(collected))
  show('1000 ranges of 5 rows by range', perSecond(iterated))
  const whole = timed(3, () => {
    for (const _ of db.range({ limit: 200_000 }));
  })
  show('one range of 200000 rows', `${ms(whole)}, ${(200 / whole).toFixed(2)} M rows/s`)
}

async function beside(db: RocksBackend, keys: number): Promise<void> {
  for (const writing of [false, true]) {
    const worker = new Worker(new URL(import.meta.url), { workerData: { handle: db.handle, keys, duration: 2000 } })
    await once(worker, 'message')
    const commits: number[] = []
    let run = 0
    const timer = writing
      ? setInterval(() => {
          const batch = db.batch()
          for (let i = 0; i < 10_000; i++) batch.put(keyOf(scattered(i + run * 10_000, keys)), value)
          run++
          const start = performance.now()
          batch.commit()
          commits.push(performance.now() - start)
        }, 100)
      : undefined
    const [rate] = await once(worker, 'message')
    clearInterval(timer)
    const owner = writing ? `, owner commits 10000 puts each 100 ms in ${ms(median(commits))}` : ', owner idle'
    show('getMany of 1000 on another thread', `${(rate / 1000).toFixed(0)} K keys/s${owner}`)
  }
}

function codecs(): void {
  const aggregates = Array.from({ length: 10_000 }, (_, i) => ({ count: i, sum: i * 1.25, max: i % 977 }))
  const packr = new Packr({ useRecords: false })
  const writer = new ValueWriter()
  type Candidate = readonly [what: string, values: readonly any[], body: (value: any) => unknown]
  // All in turns: the call of `body` is as polymorphic for the first as for the last.
  const contest = (...candidates: readonly Candidate[]): void => {
    const times = candidates.map((): number[] => [])
    for (let round = 0; round < 40; round++) {
      for (const [at, [, values, body]] of candidates.entries()) {
        const start = performance.now()
        for (const item of values) sink = body(item)
        if (round >= 10) times[at]?.push(performance.now() - start)
      }
    }
    for (const [at, [what, values]] of candidates.entries()) {
      show(what, `${((median(times[at] as number[]) * 1e6) / values.length).toFixed(0)} ns`)
    }
  }
  const ours = aggregates.map(encodeValue)
  const theirs = aggregates.map((v) => Buffer.from(packr.pack(v)))
  const json = aggregates.map((v) => Buffer.from(JSON.stringify(v)))
  const size = (all: readonly Buffer[]): string => (all.reduce((sum, b) => sum + b.length, 0) / all.length).toFixed(1)
  const names = aggregates.map((_, i) => `customer-${i}`)
  const pairs = aggregates.map((v, i) => [names[i], v.count])
  show('bytes of one {count, sum, max}', `encodeValue ${size(ours)}, msgpackr ${size(theirs)}, JSON ${size(json)}`)
  contest(
    ['encode {count, sum, max}: encodeValue', aggregates, encodeValue],
    ['encode {count, sum, max}: one writer, no copy', aggregates, (v) => writer.reset().value(v).pos],
    ['encode {count, sum, max}: msgpackr', aggregates, (v) => packr.pack(v)],
    ['encode {count, sum, max}: JSON', aggregates, (v) => Buffer.from(JSON.stringify(v))],
    ['decode {count, sum, max}: decodeValue', ours, (b) => decodeValue(b)],
    ['decode {count, sum, max}: msgpackr', theirs, (b) => packr.unpack(b)],
    ['decode {count, sum, max}: JSON', json, (b) => JSON.parse(b.utf8Slice())],
    ['copy {count, sum, max}: copyValue', aggregates, copyValue],
    ['copy {count, sum, max}: structuredClone', aggregates, (v) => structuredClone(v)],
    ['encodeKey of a string of 10 to 13', names, encodeKey],
    ['encodeKey of a number', aggregates, (v) => encodeKey(v.count)],
    ['encodeKey of [string, number]', pairs, encodeKey],
    ['keyId of [string, number]', pairs, keyId],
  )
  if (sink === undefined) throw new Error('nothing was measured')
}

async function reader(): Promise<void> {
  const { handle, keys, duration } = workerData
  const db = readRocks(handle)
  parentPort?.postMessage('ready')
  const start = performance.now()
  let read = 0
  while (performance.now() - start < duration) {
    db.getMany(Array.from({ length: 1000 }, (_, i) => keyOf(scattered(read + i, keys))))
    read += 1000
  }
  parentPort?.postMessage((read / (performance.now() - start)) * 1000)
}

async function main(): Promise<void> {
  const keys = Number(process.argv[2] ?? 1_000_000)
  const path = mkdtempSync(join(tmpdir(), 'dhaara-spike-'))
  console.log(
    `node ${process.version}, ${process.platform}-${process.arch}, ${availableParallelism()} cores, ${keys} keys`,
  )
  try {
    codecs()
    await epochs(path, keys)
    await reopening(path, keys)
    // The reads touch 40,000 blocks of 4 KiB: one cache is too small for them, the other is not.
    for (const cacheMiB of [64, 512]) {
      const db = await openRocks(join(path, 'reads'), { cacheBytes: cacheMiB * 2 ** 20 })
      if (db.get(keyOf(0)) === undefined) load(db, keys)
      console.log(`block cache of ${cacheMiB} MiB:`)
      await reads(db, keys)
      await beside(db, keys)
      await db.close()
    }
  } finally {
    rmSync(path, { recursive: true, force: true })
  }
}

if (!isMainThread) await reader()
else if (process.argv[2] === 'write') {
  const db = await openRocks(process.argv[3] as string)
  load(db, Number(process.argv[4]))
  writeSync(1, 'written\n')
  setInterval(() => {}, 1000)
} else await main()
