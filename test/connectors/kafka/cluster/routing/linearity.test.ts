import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type RemoteLog, remote } from '../../../../../src/connectors/broker/remote.ts'
import { kafkaBroker, serdes } from '../../../../../src/index.ts'
import { keys, type Positions, Reader } from '../../../../engine/query/linearity/client.ts'
import { History } from '../../../../engine/query/linearity/history.ts'
import type { Write } from '../../../../engine/query/linearity/registers.ts'
import { kafka, unique } from '../../broker.ts'

const partitions = 4
/** With DHAARA_LONG, as many faults as it says, or 40. */
const faults = process.env['DHAARA_LONG'] ? Math.max(40, Number(process.env['DHAARA_LONG'])) : 3
const script = new URL('./run-registers.ts', import.meta.url)

/** An instance, started again when it was killed. Where it was last served stays known: it may be asked while it is stopped. */
class Instance {
  url: string | undefined
  readonly #args: readonly string[]
  #child: ChildProcess | undefined

  constructor(...args: string[]) {
    this.#args = args
  }

  async start(): Promise<void> {
    const child = fork(script, this.#args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#child = child
    const [told] = (await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then((how) => assert.fail(`an instance ended while it started: ${how}`)),
    ])) as [string]
    this.url = told
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGCONT')
    child.kill(signal)
    await gone
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }
}

describe('committed reads of instances on Kafka, while instances are killed, stopped and woken', () => {
  let log: RemoteLog
  let app: string
  let dir: string
  let instances: Instance[]

  beforeEach(async () => {
    const brokers = await kafka()
    log = await kafkaBroker({ brokers })[remote]()
    app = unique('linear')
    dir = await mkdtemp(join(tmpdir(), 'dhaara-linear-'))
    await log.createTopics([{ name: `${app}.writes`, partitions, configs: {} }])
    const common = [brokers.join(','), app, `${app}.writes`] as const
    instances = [new Instance(...common, join(dir, 'one'), '0'), new Instance(...common, join(dir, 'two'), '2')]
  })
  afterEach(async () => {
    await Promise.all(instances.map((one) => one.end('SIGKILL')))
    await log.deleteTopics((await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(app)))
    await log.release()
    await rm(dir, { recursive: true, force: true })
  })

  it('never go back, are of no old owner, and have what minPosition names', async () => {
    const history = new History()
    const topic = `${app}.writes`
    const broker = kafkaBroker({ brokers: await kafka() })
    let over = false
    await Promise.all(instances.map((one) => one.start()))
    const readers = instances.map((one) => new Reader(history, () => one.url))
    const working: Promise<unknown>[] = []
    const failure = Promise.withResolvers<never>()
    failure.promise.catch(() => {})
    const work = (run: () => Promise<void>): void => {
      const running = run()
      running.catch(failure.reject)
      working.push(running)
    }
    // two for each instance, so that one that is asked of a stopped instance holds up nobody
    for (const [i, reader] of [...readers, ...readers].entries())
      work(async () => {
        for (let turn = i; !over; turn++) if (!(await reader.read(turn))) await delay(20)
      })
    const positions = async (): Promise<Positions> => {
      const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
      const ends = await log.offsets(all, 'latest')
      return { [topic]: Object.fromEntries(ends.flatMap((end, p) => (end > 0 ? [[p, end - 1]] : []))) }
    }
    const named = (): Map<string, number> => new Map(keys.map((key) => [key, history.sentOf(key)]))
    let asked = 0
    let written = 0
    work(async () => {
      await using producer = broker.producer(topic, { key: serdes.string(), value: serdes.json<Write>() })
      while (!over) {
        const batch = Array.from({ length: 1 + Math.floor(Math.random() * 20) }, () => {
          const key = keys[Math.floor(Math.random() * keys.length)] as string
          return producer.send({ key, value: { n: history.begin(key) } })
        })
        await Promise.all(batch)
        written++
        if (written % 8 === 0) {
          const least = named()
          const reader = readers[(written / 8) % readers.length] as Reader
          if (await reader.readFrom(await positions(), least)) asked++
        }
        await delay(5)
      }
    })
    /** Until reads of all keys are answered again, and one from a position, by any instance. */
    const answered = async (): Promise<void> => {
      for (const [reads, from] = [history.reads, asked]; history.reads < reads + 30 || asked === from; ) await delay(20)
    }
    const run = async (): Promise<void> => {
      for (let fault = 0; fault < faults; fault++) {
        await answered()
        const one = instances[fault % instances.length] as Instance
        if (fault % 3 === 0) {
          await one.end('SIGKILL')
          await answered()
          await one.start()
        } else if (fault % 3 === 1) {
          // longer than its session: others have its tasks when it wakes
          one.signal('SIGSTOP')
          await delay(8000)
          one.signal('SIGCONT')
        } else {
          await one.end('SIGTERM')
          await one.start()
        }
      }
      await answered()
    }
    try {
      await Promise.race([run(), failure.promise])
    } finally {
      over = true
    }
    await Promise.all(working)
    const [reader] = readers as [Reader]
    const last = await positions()
    while (!(await reader.readFrom(last, named()))) await delay(50)
  }).timeout(240_000 + faults * 60_000)
})
