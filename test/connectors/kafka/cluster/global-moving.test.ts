import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type RemoteBroker, type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import { kafkaBroker, serdes } from '../../../../src/index.ts'
import { kafka, unique } from '../broker.ts'
import type { Named } from '../children/global.ts'

const script = new URL('../children/global.ts', import.meta.url).pathname
const cities = ['Mumbai', 'Pune', 'Chennai', 'Kochi', 'Jaipur', 'Surat', 'Bhopal']
const partitions = 4

describe('a global table on Kafka, while instances are killed and others join', () => {
  let broker: RemoteBroker
  let log: RemoteLog
  let app: string
  let dir: string
  let sent = 0
  const children = new Set<ChildProcess>()
  /** What has come out, by order. */
  const named = new Map<number, string>()
  const stop = new AbortController()
  let arrived = (): void => {}
  let reading: Promise<void>

  before(async () => {
    broker = kafkaBroker({ brokers: await kafka() })
    log = await broker[remote]()
    app = unique('global')
    dir = await mkdtemp(join(tmpdir(), 'dhaara-global-'))
    await log.createTopics([
      ...['in', 'out'].map((name) => ({ name: `${app}.${name}`, partitions, configs: {} })),
      { name: `${app}.names`, partitions: 2, configs: { 'cleanup.policy': 'compact' } },
    ])
  })
  after(async () => {
    stop.abort()
    for (const child of children) child.kill('SIGKILL')
    await reading.catch(() => {})
    await log.deleteTopics((await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(app)))
    await log.release()
    await rm(dir, { recursive: true, force: true })
  })

  /** Runs its tasks when this resolves. */
  async function start(state: string): Promise<ChildProcess> {
    const args = [script, (await kafka()).join(','), app, join(dir, state)]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    children.add(child)
    await once(createInterface({ input: child.stdout }), 'line')
    return child
  }

  async function kill(child: ChildProcess): Promise<void> {
    children.delete(child)
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  async function call(all: (city: string) => string): Promise<void> {
    await using producer = broker.producer<string, string>(`${app}.names`, {
      key: serdes.string(),
      value: serdes.string(),
    })
    await Promise.all(cities.map((city) => producer.send({ key: city, value: all(city) })))
  }

  /** So many to each partition. @returns their numbers */
  async function order(count: number): Promise<number[]> {
    const value = serdes.json<{ n: number; city: string }>()
    await using producer = broker.producer<string, { n: number; city: string }>(`${app}.in`, {
      key: serdes.string(),
      value,
    })
    const numbers = Array.from({ length: count * partitions }, () => sent++)
    await Promise.all(
      numbers.map((n) =>
        producer.send({
          key: String(n),
          value: { n, city: cities[n % cities.length] as string },
          partition: n % partitions,
        }),
      ),
    )
    return numbers
  }

  async function come(numbers: readonly number[]): Promise<string[]> {
    while (!numbers.every((n) => named.has(n)))
      await Promise.race([
        reading,
        new Promise<void>((resolve) => {
          arrived = resolve
        }),
      ])
    return numbers.map((n) => named.get(n) as string)
  }

  async function read(): Promise<void> {
    const value = serdes.json<Named>()
    for await (const row of broker.consumer(`${app}.out`, { value, signal: stop.signal })) {
      const { n, name } = row.value as Named
      assert.ok(!named.has(n), `order ${n} has come twice`)
      named.set(n, name)
      arrived()
    }
  }

  const namesOf = (numbers: readonly number[], as: (city: string) => string): string[] =>
    numbers.map((n) => as(cities[n % cities.length] as string))

  it('names every order once, and never by a name that was replaced before', async () => {
    const first = (city: string): string => city.toUpperCase()
    const second = (city: string): string => `${city}!`
    await call(first)
    const one = await start('one')
    const two = await start('two')
    reading = read()
    reading.catch(() => {})
    const before = await order(50)
    assert.deepEqual(await come(before), namesOf(before, first))

    // its tasks go to one that has a copy, and to one that has none and must read the table before anything else
    await kill(two)
    const during = await order(50)
    await start('three')
    const behind = await order(50)
    assert.deepEqual(await come([...during, ...behind]), namesOf([...during, ...behind], first))

    await call(second)
    // until every thread that has tasks has read it
    for (;;) {
      const some = await order(cities.length)
      const found = await come(some)
      if (found.join() === namesOf(some, second).join()) break
      const either = new Set([...namesOf(some, first), ...namesOf(some, second)])
      for (const name of found) assert.ok(either.has(name), name)
    }

    // one joins with the copy of before on its disk, one with none; who has kept it goes
    await kill(one)
    const [again] = [await order(50), await Promise.all([start('two'), start('four')])]
    const last = await order(50)
    assert.deepEqual(await come([...again, ...last]), namesOf([...again, ...last], second))
    assert.equal(named.size, sent)
  }).timeout(120_000)
})
