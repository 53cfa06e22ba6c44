import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { openEmbedded } from '../../../src/connectors/broker/broker.ts'
import { restoreSavepoint } from '../../../src/engine/app/state/savepoint.ts'
import { embeddedBroker } from '../../../src/index.ts'
import { read, type Row, type Sent, send } from '../app/run.ts'
import { type Case, keySerdes } from './topologies.ts'
import { type Broker, savepointOf, texts, toTheEnd } from './world.ts'

/** Where a job goes on: with so many partitions, in a directory or in memory, until so many of its records were sent. */
export interface Leg {
  readonly partitions: number
  readonly disk?: boolean
  readonly until: number
}

/**
 * A job that goes on from a savepoint with each leg, to the end with the last one, gives the rows of one that was never stopped.
 *
 * @param sentTo all records of an input, by its number
 * @param parent of the folders that it needs
 */
export async function assertJourney(
  one: Case,
  sentTo: (input: number) => readonly Sent[],
  legs: readonly Leg[],
  parent: string,
): Promise<void> {
  const folder = mkdtempSync(join(parent, 'journey-'))
  const brokers: Broker[] = []
  const brokerOf = ({ partitions, disk = false }: Leg): Broker => {
    const broker = embeddedBroker({ partitions, ...(disk ? { dir: join(folder, `data-${brokers.length}`) } : {}) })
    brokers.push(broker)
    return broker
  }
  const feed = async (broker: Broker, from: number, to: number): Promise<void> => {
    for (const [i, topic] of one.inputs.entries()) await send(broker, topic, sentTo(i).slice(from, to))
  }
  const rowsOf = (broker: Broker): Promise<Row[]> => read(broker, 'out', keySerdes[one.keys])
  const last = legs.at(-1) as Leg
  try {
    const whole = brokerOf({ ...last, disk: false })
    await feed(whole, 0, last.until)
    await toTheEnd(one.topology(), whole)
    const found: Row[] = []
    let path: string | undefined
    let done = 0
    for (const [i, leg] of legs.entries()) {
      const broker = brokerOf(leg)
      // its topics begin with what has come since
      if (path !== undefined) {
        const lease = await openEmbedded(broker)
        await restoreSavepoint(lease.backend, 'test', path, 'start')
        await lease.release()
      }
      await feed(broker, done, leg.until)
      done = leg.until
      path = join(folder, `savepoint-${i}`)
      if (leg !== last) await savepointOf(one, broker, path)
      else await toTheEnd(one.topology(), broker)
      found.push(...(await rowsOf(broker)))
    }
    assert.deepEqual(texts(found, one.last ?? false), texts(await rowsOf(whole), one.last ?? false))
  } finally {
    for (const broker of brokers) await broker[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  }
}
