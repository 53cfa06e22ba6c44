import type { Subject } from '../../../harness/subject.ts'
import { engineSubject } from '../common/dhaara.ts'
import { workersSubject } from '../common/workers.ts'
import topology from './topology.ts'

/**
 * Orders of a city come from one partition: what is emitted after each of them does not depend on which thread was faster.
 * About half of them change threads.
 */
const onWorkers = (workers: number): Subject =>
  workersSubject({
    url: new URL('topology.ts', import.meta.url),
    topology,
    input: 'orders',
    workers,
    partitions: 2,
    partitionOf: oddCity,
  })

const quote = '"'.charCodeAt(0)
const comma = ','.charCodeAt(0)
const hyphen = '-'.charCodeAt(0)

/** 1 if the number of the city is odd: `{"orderId":7,"customer":5,"city":"city-13",…`. */
function oddCity(bytes: Buffer, start: number): number {
  let at = start + '{"orderId":'.length
  while (bytes[at] !== comma) at++
  at += ',"customer":'.length
  while (bytes[at] !== comma) at++
  at += ',"city":"city'.length
  if (bytes[at] !== hyphen) throw new Error('an order looks otherwise than this file knows it')
  while (bytes[at] !== quote) at++
  return (bytes[at - 1] as number) & 1
}

const variants: Readonly<Record<string, Subject>> = {
  '2 workers': onWorkers(2),
  '1 worker': onWorkers(1),
  'no workers': engineSubject(() => topology, 'orders'),
}

export const subject: Subject = {
  setup: (context) => (variants[context.variant] as Subject).setup(context),
}
