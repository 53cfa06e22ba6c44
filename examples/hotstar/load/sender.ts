/**
 * Sends the events of a crowd into a running app's directory, from a process of its own: first one for each seat, then at a steady
 * rate, whatever becomes of those before them.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { connectDirectory } from '../../../src/index.ts'
import { Crowd } from './crowd.ts'

export interface SenderJob {
  readonly dir: string
  readonly topic: string
  readonly seats: number
  /** Events a second. */
  readonly rate: number
  readonly seconds: number
}

/** What the sender tells, in this order. */
export type SenderNews =
  | { readonly type: 'seated' }
  | {
      readonly type: 'sent'
      readonly events: number
      readonly seconds: number
      readonly cpuSeconds: number
      /** Longest that an event waited after it was due until the log had it. */
      readonly behindMs: number
    }

const filling = 10_000
/** Most events of one commit. */
const most = 20_000
/** Commits under way. */
const ahead = 4

async function send(job: SenderJob): Promise<void> {
  const { topic, rate, seconds } = job
  const crowd = new Crowd(job.seats, 1)
  await using client = await connectDirectory(job.dir)
  const encoder = new TextEncoder()
  const record = ({ key, value }: { key: string; value: string }) => ({
    key: encoder.encode(key),
    value: encoder.encode(value),
  })
  for (let seat = 0; seat < crowd.seats; seat += filling) {
    const count = Math.min(filling, crowd.seats - seat)
    await client.produce(
      topic,
      Array.from({ length: count }, (_, i) => record(crowd.arrive(seat + i))),
    )
  }
  const go = Promise.withResolvers<void>()
  process.once('message', () => go.resolve())
  tell({ type: 'seated' })
  await go.promise

  const cpu = process.cpuUsage()
  const began = performance.now()
  const total = rate * seconds
  const under = new Set<Promise<void>>()
  let behindMs = 0
  let sent = 0
  // it has a machine to share: what it has not sent when the time is over it does not send
  while (sent < total && performance.now() - began < (seconds + 1) * 1000) {
    const due = Math.min(total, Math.floor(((performance.now() - began) / 1000) * rate))
    const count = Math.min(most, due - sent)
    if (count === 0) {
      await sleep(5)
      continue
    }
    const first = sent
    const records = Array.from({ length: count }, (_, i) => record(crowd.act((first + i) / total)))
    sent += count
    const dueAt = began + (first / rate) * 1000
    const sending: Promise<void> = client.produce(topic, records).then(() => {
      under.delete(sending)
      behindMs = Math.max(behindMs, performance.now() - dueAt)
    })
    under.add(sending)
    if (under.size >= ahead) await Promise.race(under)
    else await new Promise(setImmediate)
  }
  await Promise.all(under)
  const { user, system } = process.cpuUsage(cpu)
  const took = (performance.now() - began) / 1000
  tell({ type: 'sent', events: sent, seconds: took, cpuSeconds: (user + system) / 1e6, behindMs })
  process.disconnect?.()
}

const tell = (news: SenderNews): void => void process.send?.(news)

if (import.meta.main) await send(JSON.parse(process.argv[2]!) as SenderJob)
