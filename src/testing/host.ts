import { Policies } from '../engine/app/settings/policies.ts'
import { invalidAt } from '../engine/runtime/failures/errors.ts'
import type { Host } from '../engine/runtime/host.ts'
import type { Outputs } from '../engine/runtime/outputs.ts'
import type { DhaaraError } from '../errors/index.ts'
import type { BackendReader } from '../state/backend.ts'
import type { MemoryLog } from './memory-log.ts'
import type { InnerDriverOptions } from './options.ts'

const DEAD_LETTERS = 'dead-letters'

/** What tasks get from their driver. */
export interface HostParts {
  readonly reader: BackendReader
  readonly outputs: Outputs
  readonly log: MemoryLog
  readonly storeIds: Map<string, number>
  topics(): readonly string[]
  now(): number
  wake(): void
  random(): number
  /** To be thrown from the running call. */
  fail(error: DhaaraError): void
}

/** The host of a driver's tasks: all that is not told by the test is as in an app. */
export function driverHost(parts: HostParts, options: InnerDriverOptions): Host {
  const { log, outputs, storeIds, fail, now } = parts
  const policies = new Policies(
    {
      policies: { data: 'fail', user: 'fail', external: 'fail', ...options.errors },
      deadLetterTopic: DEAD_LETTERS,
      clock: { now },
    },
    () => outputs,
  )
  return {
    reader: parts.reader,
    outputs,
    storeId: (name) => {
      const id = storeIds.get(name) ?? storeIds.size + 1
      storeIds.set(name, id)
      return id
    },
    partitionsOf: () => options.partitions ?? 1,
    topics: parts.topics,
    fetch: (topic, partition) => log.fetch(topic, partition),
    // readers use their memory again: what still looks there is to be seen in a test
    done: ({ data }) => void data.fill(0xff),
    behind: (topic, partition) => log.behind(topic, partition),
    startOffset: (_, topic, partition) => log.nextOffset(topic, partition),
    now,
    wake: parts.wake,
    atOnce: true,
    random: parts.random,
    // the record is dropped where it failed, and the call that brought it throws when all is at rest
    onUserError: (error, rec) => {
      const action = policies.onUserError(error, rec)
      if (action !== 'fail' && action !== 'retry') return action
      fail(error)
      return 'skip'
    },
    onDataError: (error, source, batch, i) => {
      const action = policies.onDataError(error, source, batch, i)
      if (action !== 'fail' && action !== 'retry') return action
      fail(invalidAt(error, source, batch, i))
      return 'skip'
    },
    deadLetter: (error, rec) => policies.deadLetter(error, rec),
    deadLetterRaw: (error, batch, i) => policies.deadLetterRaw(error, batch, i),
    options: {
      careful: (options.strict ?? true) || (options.careful ?? true),
      strict: options.strict ?? true,
      codegen: options.codegen ?? true,
      cacheBytes: options.cacheBytes ?? 64 << 20,
      maxTimestampAhead: Number.POSITIVE_INFINITY,
      maxTaskIdle: 0,
      emptyIdle: 1000,
      batchSize: 1 << 20,
      maxInFlight: Number.POSITIVE_INFINITY,
    },
  }
}
