/** Sends orders into a running app's directory, from a process of its own: what sending costs, and when it waits, is not the app's. */
import { setTimeout as sleep } from 'node:timers/promises'
import { connectDirectory } from '../../../src/index.ts'
import { nameOf, topic } from './names.ts'
import { forJobs, giveOut } from './pinned.ts'

/** Orders by their numbers: the first of them one for each key, in turn; later ones for any key. */
export interface SenderJob {
  readonly dir: string
  readonly keys: number
  readonly pinned: boolean
}

export type SenderOrder =
  /** So many, at once. */
  | { readonly type: 'send'; readonly count: number }
  /** At a steady rate, whatever becomes of those before. */
  | { readonly type: 'offer'; readonly rate: number; readonly seconds: number }

/** An order was obeyed; in their order. */
export interface SenderNews {
  readonly sent: number
}

/** The key of the order with this number: of the first ones, each in turn; then spread by a multiplicative hash (Knuth). */
export const keyOf = (order: number, keys: number): number =>
  order < keys ? order : Math.floor(((Math.imul(order, 2654435761) >>> 0) / 2 ** 32) * keys)

/**
 * It stands on the job's processor: helpers of its collector would keep threads of the app from going on, some of them with
 * what the thread that answers waits for.
 */
export const senderFlags = ['--single-threaded-gc']

/** Of one commit. */
const most = 2_000
/** Orders of so many customers are made once. */
const mostKept = 200_000

type Order = Readonly<Record<'key' | 'value', Buffer>>

function orderOf(key: number): Order {
  const customer = nameOf(key)
  return { key: Buffer.from(customer), value: Buffer.from(`{"customer":"${customer}","amount":7}`) }
}

async function main({ dir, keys, pinned }: SenderJob): Promise<void> {
  if (pinned) await giveOut(forJobs)
  await using client = await connectDirectory(dir)
  const under = new Set<Promise<void>>()
  const kept = new Array<Order | undefined>(Math.min(keys, mostKept))
  const made = (key: number): Order => (key < kept.length ? (kept[key] ??= orderOf(key)) : orderOf(key))
  let next = 0
  const send = (count: number): void => {
    for (let left = count; left > 0; left -= most) {
      const records = Array.from({ length: Math.min(left, most) }, () => made(keyOf(next++, keys)))
      const sending: Promise<void> = client.produce(topic, records).then(() => void under.delete(sending))
      under.add(sending)
    }
  }
  const offer = async (rate: number, seconds: number): Promise<number> => {
    const began = performance.now()
    const total = Math.round(rate * seconds)
    for (let done = 0; done < total; ) {
      const due = Math.min(total, Math.floor(((performance.now() - began) / 1000) * rate))
      send(due - done)
      done = due
      await sleep(5)
    }
    return total
  }
  const over = Promise.withResolvers<void>()
  process.on('disconnect', over.resolve)
  process.on('message', (order: SenderOrder) => {
    const told = (sent: number) => Promise.all(under).then(() => process.send?.({ sent } satisfies SenderNews))
    if (order.type === 'offer') void offer(order.rate, order.seconds).then(told)
    else {
      send(order.count)
      void told(order.count)
    }
  })
  process.send?.({ sent: 0 } satisfies SenderNews)
  await over.promise
}

if (import.meta.main) await main(JSON.parse(process.argv[2]!) as SenderJob)
