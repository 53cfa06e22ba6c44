import type { RemoteLog, TopicPartition } from '../../connectors/broker/remote.ts'
import type { OffsetReset } from '../../dsl/plan/index.ts'
import { noPosition } from '../app/topics/start-offset.ts'
import type { TaskId } from '../runtime/host.ts'
import { distinct, type Input, type Inputs, type Offsets, offsetsOf, positionName, ownEnd } from './inputs.ts'

/** Where tasks go on. */
export interface Positions {
  /** As the group has committed them. */
  readonly committed: Offsets
  /** Of all inputs: what is committed, or where the source's policy begins. */
  readonly starts: Offsets
}

/** Positions of tasks that come to this instance, as the instance that had them before has left them. */
export async function findPositions(
  log: RemoteLog,
  group: string,
  inputs: Inputs,
  tasks: readonly TaskId[],
): Promise<Positions> {
  return positionsOf(log, group, inputs.ofAll(tasks), ({ source }) => source?.offsetReset ?? 'earliest')
}

/** Of inputs that have come while their tasks ran: from their beginning, whatever the policy of the source. */
export async function newPositions(
  log: RemoteLog,
  group: string,
  before: Inputs,
  now: Inputs,
  tasks: readonly TaskId[],
): Promise<Positions> {
  const known = new Set(before.ofAll(tasks).map(positionName))
  const fresh = now.ofAll(tasks).filter((one) => !known.has(positionName(one)))
  return positionsOf(log, group, fresh, () => 'earliest')
}

async function positionsOf(
  log: RemoteLog,
  group: string,
  all: readonly Input[],
  resetOf: (input: Input) => OffsetReset,
): Promise<Positions> {
  const found = await log.groupOffsets(group, all)
  const known = all.flatMap((one, i) => (found[i] === undefined ? [] : [{ ...one, offset: found[i] as number }]))
  const committed = offsetsOf(known)
  const starts = new Map<string, number>()
  // what other tasks have committed of a global table says nothing of a new task's copy
  const own = all.filter((one) => !isGlobal(one))
  const fresh = own.filter((one) => !committed.has(positionName(one)))
  for (const one of own) {
    const at = committed.get(positionName(one))
    if (at !== undefined) starts.set(positionName(one), at)
  }
  const none = fresh.filter((one) => resetOf(one) === 'none')
  if (none.length > 0) throw noPosition(none.map(({ topic, partition }) => `${topic}[${partition}]`))
  const begin = async (where: readonly Input[], at: 'earliest' | 'latest' | number): Promise<void> => {
    if (where.length === 0) return
    const offsets = await log.offsets(where, at)
    for (const [i, one] of where.entries()) starts.set(positionName(one), offsets[i] as number)
  }
  const byReset = Map.groupBy(fresh, (one) => {
    const reset = resetOf(one)
    return reset === 'latest' ? reset : typeof reset === 'object' ? reset.timestamp : 'earliest'
  })
  await Promise.all([
    ...Array.from(byReset, ([at, where]) => begin(where, at)),
    begin(all.filter(isGlobal), 'earliest'),
  ])
  return { committed, starts }
}

/** Where bounded inputs end. */
export class Ends {
  private readonly log: RemoteLog
  inputs: Inputs
  /** Those that were found. */
  readonly known = new Map<string, number>()
  /** Which topics are bounded, where there is no end known yet: partitions that come to this instance later. */
  private bounded: (topic: string) => boolean = () => false
  /** Every input has an end. */
  all = false

  constructor(log: RemoteLog, inputs: Inputs) {
    this.log = log
    this.inputs = inputs
  }

  /** These topics (default: all) end where they end when they are first looked for. */
  bound(topics: readonly string[] | undefined): void {
    const before = this.bounded
    this.bounded = (topic) => before(topic) || topics === undefined || topics.includes(topic)
    this.all ||= topics === undefined
  }

  async find(partitions: readonly TopicPartition[]): Promise<Offsets> {
    const where = distinct(partitions)
      .filter((one) => this.bounded(one.topic) && !this.known.has(positionName(one)))
      .filter(({ topic }) => !this.inputs.isRepartition(topic))
    const ends = where.length === 0 ? [] : await this.log.offsets(where, 'latest', true)
    for (const [i, one] of where.entries()) this.known.set(positionName(one), ends[i] as number)
    for (const name of this.inputs.ownSources) if (this.bounded(name)) this.known.set(ownEnd(name), 0)
    return this.known
  }
}

const isGlobal = ({ source }: Input): boolean => source?.global === true
