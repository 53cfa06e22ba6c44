/** One measurement in a process of its own, its job (JSON) the one argument. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { resolve } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import { rawPages, type RawPagesOf } from '../../../src/engine/query/scan.ts'
import type { BareNews } from './bare-server.ts'
import { type ReaderJob, type ReaderOrder, readerFlags } from './http-reader.ts'
import { Load } from './load.ts'
import { nameOf, store } from './names.ts'
import { type Latencies, OpenLoop, yieldingRest } from './open-loop.ts'
import type { Total } from './topology.ts'

export type QueryJob =
  | ({ readonly kind: 'points'; readonly how: 'code' | 'http' } & Steady)
  | ({ readonly kind: 'bare'; readonly beside: boolean } & Steady)
  | { readonly kind: 'arrow'; readonly rows: number; readonly partitions: number }
  | { readonly kind: 'subscriptions'; readonly count: number; readonly seconds: number }

/** @see pinned.ts */
interface Steady {
  readonly rate: number
  readonly seconds: number
  readonly pinned: boolean
}

/** What was measured; `records`: reads, rows or records. */
export interface Answer {
  readonly records: number
  readonly seconds: number
  readonly cpuSeconds: number
  readonly correct: boolean
  readonly latencies?: Latencies
  /** Records that the job processed a second, without questions and beside them. */
  readonly job?: { readonly alone: number; readonly beside: number }
  /** Changes that subscribers were told a second. */
  readonly changesPerSecond?: number
  /** Of reading the same rows and doing nothing with them. */
  readonly cpuOfReading?: number
}

const keys = 100_000
/** s; what serves and what asks is compiled by then: in the first two, V8's threads take the cores from both. */
const warmUp = 5

async function timed<T>(what: () => Promise<T>): Promise<{ value: T; seconds: number; cpuSeconds: number }> {
  const cpu = process.cpuUsage()
  const began = performance.now()
  const value = await what()
  const { user, system } = process.cpuUsage(cpu)
  return { value, seconds: (performance.now() - began) / 1000, cpuSeconds: (user + system) / 1e6 }
}

async function points(how: 'code' | 'http', { rate, seconds, pinned }: Steady): Promise<Answer> {
  await using load = await Load.start(keys, 1, { pinned })
  // what it can once its code is compiled, which takes longer on one core
  await load.flood(3)
  const half = (await load.flood(3)) / 2
  await load.settle()
  const url = load.app.httpUrl as string
  using asker = how === 'code' ? byCode(load, rate) : await overHttp({ url, keys, rate, pinned })
  const { ask } = asker
  await ask(warmUp)
  const alone = await timed(() => load.offer(half, seconds))
  await load.settle()
  const { value, ...spent } = await timed(() => Promise.all([ask(seconds), load.offer(half, seconds)]))
  const [latencies, beside] = value
  const correct = latencies.wrong === 0 && (await load.correct())
  // what the job takes without questions is not theirs
  const cpuSeconds = Math.max(0.001, spent.cpuSeconds - alone.cpuSeconds)
  return { records: latencies.done, ...spent, cpuSeconds, latencies, job: { alone: alone.value, beside }, correct }
}

/** What the server under it can, alone on the machine, or beside the very job whose rows nobody asks for. */
async function bare(beside: boolean, { rate, seconds, pinned }: Steady): Promise<Answer> {
  await using load = beside ? await Load.start(keys, 1, { pinned }) : undefined
  await load?.flood(3)
  const half = load && (await load.flood(3)) / 2
  await load?.settle()
  const server = fork(resolve(import.meta.dirname, 'bare-server.ts'), [String(keys), pinned ? 'pinned' : ''])
  const [{ url }] = (await once(server, 'message')) as [BareNews]
  using asker = await overHttp({ url, keys, rate, pinned })
  const spent = async (): Promise<number> => {
    server.send('spent')
    const [{ cpuSeconds }] = (await once(server, 'message')) as [BareNews]
    return cpuSeconds
  }
  await asker.ask(warmUp)
  const before = await spent()
  const began = performance.now()
  const [latencies] = await Promise.all([asker.ask(seconds), load?.offer(half as number, seconds)])
  const took = (performance.now() - began) / 1000
  const cpuSeconds = (await spent()) - before
  server.disconnect()
  await once(server, 'exit')
  return { records: latencies.done, seconds: took, cpuSeconds, latencies, correct: latencies.wrong === 0 }
}

interface Asker extends Disposable {
  readonly ask: (seconds: number) => Promise<Latencies>
}

function byCode({ app }: Load, rate: number): Asker {
  const rows = app.store(store)
  const ask = (seconds: number): Promise<Latencies> => {
    const loop = new OpenLoop(rate, seconds, yieldingRest)
    return loop.run(async (question) => {
      const name = nameOf(Math.floor(Math.random() * keys))
      loop.answered(question, ((await rows.get(name)) as Total | undefined)?.last === name)
    })
  }
  return { ask, [Symbol.dispose]: () => {} }
}

async function overHttp(job: ReaderJob): Promise<Asker> {
  const reader = fork(resolve(import.meta.dirname, 'http-reader.ts'), [JSON.stringify(job)], {
    execArgv: [...process.execArgv, ...readerFlags],
  })
  const ended = once(reader, 'exit').then(([code]): never => {
    throw new Error(`The asker has ended with ${String(code)}`)
  })
  await Promise.race([once(reader, 'message'), ended])
  const ask = async (seconds: number): Promise<Latencies> => {
    const told = Promise.race([once(reader, 'message'), ended])
    reader.send({ seconds } satisfies ReaderOrder)
    const [found] = (await told) as [Latencies]
    return found
  }
  return { ask, [Symbol.dispose]: () => void reader.removeAllListeners('exit').disconnect() }
}

async function arrow(rows: number, partitions: number): Promise<Answer> {
  await using load = await Load.start(rows, 0, { partitions })
  const url = `${load.app.httpUrl}/api/stores/${store}/rows`
  const fetchAll = async (): Promise<Buffer> => {
    const asked = request(url, { headers: { accept: 'application/vnd.apache.arrow.stream' } }).end()
    const [response] = (await once(asked, 'response')) as [AsyncIterable<Buffer>]
    const parts: Buffer[] = []
    for await (const part of response) parts.push(part)
    return Buffer.concat(parts)
  }
  await fetchAll()
  const { value, ...spent } = await timed(fetchAll)
  await readAll(load)
  const { value: read, cpuSeconds: cpuOfReading } = await timed(() => readAll(load))
  const table = tableFromIPC(value)
  const counts = table.getChild('count')
  let sum = 0
  for (const count of counts ?? []) sum += count as number
  return { records: rows, ...spent, cpuOfReading, correct: table.numRows === rows && sum === rows && read === rows }
}

/** The ceiling: the same rows, read from the database and looked at by nobody. */
async function readAll({ app }: Load): Promise<number> {
  let rows = 0
  const pages = (app.store(store).all() as RawPagesOf)[rawPages]?.()
  if (pages === undefined) throw new Error('The rows of this store are not shown as they lie')
  for await (const page of pages) rows += page.rows.length / 2
  return rows
}

async function subscriptions(count: number, seconds: number): Promise<Answer> {
  await using load = await Load.start(keys, 1)
  const half = (await load.flood(3)) / 2
  await load.settle()
  const alone = await load.offer(half, seconds)
  await load.settle()
  const stop = new AbortController()
  const last = new Map<string, number>()
  let told = 0
  const rows = load.app.store(store)
  const following = Array.from({ length: count }, async (_, i) => {
    const name = nameOf(i)
    for await (const { value } of rows.subscribe(name, { signal: stop.signal })) {
      told++
      last.set(name, (value as Total).count)
    }
  })
  const { value: beside, ...spent } = await timed(() => load.offer(half, seconds))
  const before = told
  let correct = await load.correct()
  for (let i = 0; i < count; i++) {
    const name = nameOf(i)
    const { count: counted } = (await rows.get(name)) as Total
    for (let tries = 0; last.get(name) !== counted && tries < 1000; tries++) await new Promise(setImmediate)
    correct &&= last.get(name) === counted
  }
  stop.abort()
  await Promise.all(following)
  const changesPerSecond = before / spent.seconds
  return { records: count, ...spent, job: { alone, beside }, changesPerSecond, correct }
}

async function run(job: QueryJob): Promise<Answer> {
  switch (job.kind) {
    case 'points':
      return points(job.how, job)
    case 'bare':
      return bare(job.beside, job)
    case 'arrow':
      return arrow(job.rows, job.partitions)
    case 'subscriptions':
      return subscriptions(job.count, job.seconds)
  }
}

if (import.meta.main) {
  const answer = await run(JSON.parse(process.argv[2]!) as QueryJob)
  process.send?.(answer, undefined, undefined, () => process.exit())
}
