import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { type Broker, serdes, StreamsApp, StreamsBuilder } from '../../src/index.ts'
import { start } from './dhaara.ts'

/** Letters of each of these are replayed one group after the other. */
export const groups = ['red', 'green']
const perGroup = 80
const mostKills = 3

interface Order {
  readonly n: number
  readonly group: string
}

const own = { key: serdes.string(), value: serdes.json<Order>() }

/** Sends records that two steps put aside, and runs an app over them. Of each group `double` puts half aside, `check` a quarter. */
export async function makeLetters(broker: Broker, app: string, input: string): Promise<void> {
  {
    await using producer = broker.producer(input, own)
    for (let n = 0; n < groups.length * perGroup; n++)
      void producer.send({ key: `k${n}`, value: { n, group: groups[n % groups.length] as string } })
  }
  const refuse = (is: boolean, { n, group }: Order): void => {
    if (is) throw new RangeError(`${n} is ${group}`)
  }
  const turn = (n: number): number => Math.floor(n / groups.length)
  const builder = new StreamsBuilder()
  builder
    .stream(input, own)
    .peek((value) => refuse(turn(value.n) % 2 === 1, value), { name: 'double' })
    .peek((value) => refuse(turn(value.n) % 4 === 2, value), { name: 'check' })
    .to(`${input}-done`, own)
  const running = new StreamsApp({
    applicationId: app,
    topology: builder.build(),
    broker,
    errors: { user: 'deadLetter' },
  })
  await running.start()
  running.endInputs()
  await running.completed
}

/**
 * Replays the letters of `double`, group by group, by the command; each time it is killed at some moment, again and again, and
 * then let go to its end. @returns how often it was killed
 */
export async function replayKilled(place: readonly string[]): Promise<number> {
  // how long the command takes here and now
  const began = performance.now()
  assert.equal((await start(['dlq', 'list', ...place]).ended).code, 0)
  const takes = performance.now() - began
  let kills = 0
  for (const group of groups) {
    for (let turn = 0; ; turn++) {
      const { child, ended } = start(['dlq', 'replay', '--step', 'double', '--message', `is ${group}`, ...place])
      if (turn < mostKills) {
        // a part of its life further each time
        await Promise.race([delay((takes * (turn + Math.random())) / mostKills), ended])
        if (child.kill('SIGKILL')) kills++
      }
      const { code, out, err } = await ended
      if (code === null) continue
      assert.equal(code, 0, err)
      assert.match(out, /^(0|40) letters replayed\n$/)
      break
    }
  }
  return kills
}

interface Row {
  readonly value: Order
  /** The letter that it was put back for. */
  readonly from: string | undefined
}

/** What a topic holds, read committed. The last record is one that is sent here. */
export async function replayedIn(broker: Broker, topic: string): Promise<Row[]> {
  const stop = new AbortController()
  const rows: Row[] = []
  {
    await using producer = broker.producer<string, Order>(topic, own)
    // one for each partition, to know where they end
    await Promise.all([0, 1].map((partition) => producer.send({ key: 'end', value: { n: -1, group: '' }, partition })))
  }
  let ends = 0
  for await (const { value, headers } of broker.consumer(topic, { ...own, signal: stop.signal })) {
    if ((value as Order).n >= 0) rows.push({ value: value as Order, from: headers['dhaara-replayed'] })
    else if (++ends === 2) stop.abort()
  }
  return rows
}

/** @throws AssertionError a letter is missing, or there twice, or was not meant */
export function checkReplayed(rows: readonly Row[]): void {
  const all = groups.length * perGroup
  const first = rows.filter(({ from }) => from === undefined)
  assert.deepEqual(
    first.map(({ value }) => value.n).sort((a, b) => a - b),
    Array.from({ length: all }, (_, n) => n),
  )
  const again = rows.filter(({ from }) => from !== undefined)
  const meant = Array.from({ length: all }, (_, n) => n).filter((n) => Math.floor(n / groups.length) % 2 === 1)
  assert.deepEqual(
    again.map(({ value }) => value.n).sort((a, b) => a - b),
    meant,
  )
  assert.equal(new Set(again.map(({ from }) => from)).size, meant.length)
}
