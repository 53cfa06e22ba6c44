import type { HttpOptions } from '../../../http/index.ts'
import type { Broker } from '../../../connectors/broker/broker.ts'
import type { RawRecord } from '../../../dsl/records.ts'
import type { Clock, Duration } from '../../../dsl/time/index.ts'
import { toMs } from '../../../dsl/time/index.ts'
import type { Topology } from '../../../dsl/topology/index.ts'
import { DhaaraError } from '../../../errors/index.ts'
import type { Cpus } from '../../../state/affinity.ts'
import { systemClock } from '../../runtime/clock.ts'
import { type Logger, quiet } from './logger.ts'
import { memoryParts } from './memory-parts.ts'

export type ErrorAction = 'fail' | 'skip' | 'deadLetter'
export type ErrorPolicy = ErrorAction | ((error: DhaaraError, record: RawRecord | undefined) => ErrorAction | 'retry')

/**
 * A Topology object runs in this thread; workers load the module by its URL, since functions cannot be sent. Each loads it, and what
 * it imports, for itself: some tenths of a second of a processor at the start, and less than half of that where the program has
 * called `module.enableCompileCache()` first, which the command line does.
 */
export type Program =
  | { readonly topology: Topology; readonly workers?: 0 }
  | { readonly topology: URL; readonly workers: number; readonly settings?: Readonly<Record<string, string>> }

export interface AppOptions {
  /** Names state, positions and internal topics; `[A-Za-z0-9._-]+`. */
  readonly applicationId: string
  /** Default: embeddedBroker(). */
  readonly broker?: Broker
  readonly stateDir?: string
  /**
   * On Kafka: a name that stays the same over restarts and that no other instance has. An instance that is back within the
   * session's time keeps its tasks, and the others do not notice.
   */
  readonly instanceId?: string
  /**
   * On Kafka: the tasks of an instance that leaves are kept for it for so long, and are run by nobody until then; one that comes
   * back with the same `stateDir` has them again, and nothing moves. Without `instanceId`, for restarts in turn. Default 0: they
   * go to others at once.
   */
  readonly rebalanceDelay?: Duration
  /** On Kafka: on so many other instances a copy of each task's state is kept, so that one of them can go on at once; default 0. */
  readonly standbyReplicas?: number
  /** On Kafka: most bytes a second that state is restored with; default: as fast as it goes. */
  readonly restoreBytesPerSecond?: number
  /**
   * A function that does not come back for so long is stuck: its tasks are taken away from it. Default '5m'. On workers of
   * the embedded broker the policy for user errors decides: `skip` and `deadLetter` replace the worker and leave the record
   * out where it is read. Without workers nobody is there to notice.
   */
  readonly stuckAfter?: Duration
  readonly guarantee?: 'exactly-once' | 'at-least-once'
  /**
   * Default '100ms'. On Kafka, exactly once, an epoch ends up to 20 ms (a fifth of the interval, where that is less) earlier if all
   * that has arrived is processed by then.
   */
  readonly checkpointInterval?: Duration
  /** The one limit, default 512 MB. */
  readonly memoryBytes?: number
  /** The decoded cache's part of it. */
  readonly cacheBytes?: number
  /** What a power loss may cost: nothing that was committed, the last second, or what the operating system had not written; kill -9 is safe with all. Default 'os'. */
  readonly sync?: 'commit' | 'interval' | 'os'
  /**
   * Freeze what user code must not change and round-trip what is stored. On Kafka the local rows of tasks that come are held to
   * all of their changelogs, too: for tests and to look for damage, since each start reads everything.
   */
  readonly strict?: boolean
  /** Serves the app, its stores and its console. */
  readonly http?: HttpOptions | false
  readonly errors?: {
    readonly data?: ErrorPolicy
    readonly user?: ErrorPolicy
    readonly external?: ErrorPolicy
    readonly deadLetterTopic?: string
  }
  /** How long to wait for an input that may bring something older; default '1s'. */
  readonly maxTaskIdle?: Duration
  /** Default '1d'; a timestamp further ahead of the wall clock is invalid. */
  readonly maxTimestampAhead?: Duration
  /**
   * On Linux, from when the app runs until it is closed: processors (as `taskset` numbers them) for the thread that calls `start`,
   * which answers questions, and for all other threads of the process. Default: the system decides. Where `taskset` (util-linux)
   * is missing or refuses, a warning says so and nothing else happens.
   */
  readonly cpus?: Cpus
  readonly clock?: Clock
  readonly logger?: Logger
  readonly naming?: 'explicit'
  /** Old step or store name -> new one. */
  readonly renames?: Readonly<Record<string, string>>
  /** Drops state that no step of the topology has any more; default: such a start is refused. */
  readonly allowNonRestoredState?: boolean
  /** Closes the app. */
  readonly signal?: AbortSignal
}

/** Options with what was left out filled in, checked. */
export interface Settings {
  readonly applicationId: string
  readonly interval: number
  readonly cacheBytes: number
  readonly memoryBytes: number
  readonly sync: 'commit' | 'interval' | 'os'
  readonly guarantee: 'exactly-once' | 'at-least-once'
  readonly strict: boolean
  readonly policies: { readonly data: ErrorPolicy; readonly user: ErrorPolicy; readonly external: ErrorPolicy }
  readonly deadLetterTopic: string
  readonly maxTaskIdle: number
  readonly maxTimestampAhead: number
  readonly cpus?: Cpus
  readonly clock: Clock
  readonly logger: Logger
  readonly instanceId?: string
  readonly standbys: number
  readonly rebalanceDelay: number
  readonly restoreBytesPerSecond?: number
  readonly stuckAfter: number
}

const MB = 1 << 20

/** @throws DhaaraError DHAARA_OPTION, DHAARA_DURATION */
export function settingsOf(options: AppOptions): Settings {
  const { applicationId, memoryBytes = 512 * MB } = options
  if (typeof applicationId !== 'string' || !/^[A-Za-z0-9._-]+$/.test(applicationId)) {
    throw new DhaaraError(
      'DHAARA_OPTION',
      `applicationId is '${applicationId}'; expected letters, digits, '.', '_' and '-'`,
    )
  }
  if (!(memoryBytes >= 32 * MB && Number.isFinite(memoryBytes)))
    throw new DhaaraError('DHAARA_OPTION', `memoryBytes is ${memoryBytes}; expected at least ${32 * MB} (32 MB)`)
  const { cache: cacheBytes } = memoryParts(memoryBytes, options.cacheBytes)
  if (!(cacheBytes >= 0) || cacheBytes > memoryBytes)
    throw new DhaaraError('DHAARA_OPTION', `cacheBytes is ${cacheBytes}; expected 0 to memoryBytes (${memoryBytes})`)
  const {
    data = 'fail',
    user = 'fail',
    external = 'fail',
    deadLetterTopic = `${applicationId}-dead-letters`,
  } = options.errors ?? {}
  return {
    applicationId,
    interval: toMs(options.checkpointInterval ?? '100ms'),
    cacheBytes,
    memoryBytes,
    sync: options.sync ?? 'os',
    guarantee: options.guarantee ?? 'exactly-once',
    strict: options.strict ?? false,
    policies: { data, user, external },
    deadLetterTopic,
    maxTaskIdle: toMs(options.maxTaskIdle ?? '1s'),
    maxTimestampAhead: toMs(options.maxTimestampAhead ?? '1d'),
    clock: options.clock ?? systemClock,
    logger: options.logger ?? quiet,
    ...(options.cpus === undefined ? {} : { cpus: cpusOf(options.cpus) }),
    ...(options.instanceId === undefined ? {} : { instanceId: options.instanceId }),
    rebalanceDelay: toMs(options.rebalanceDelay ?? 0),
    standbys: wholeNumber('standbyReplicas', options.standbyReplicas ?? 0, 0),
    ...(options.restoreBytesPerSecond === undefined
      ? {}
      : { restoreBytesPerSecond: wholeNumber('restoreBytesPerSecond', options.restoreBytesPerSecond, 1) }),
    stuckAfter: toMs(options.stuckAfter ?? '5m'),
  }
}

function wholeNumber(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new DhaaraError('DHAARA_OPTION', `${name} is ${value}; expected a whole number from ${least}`)
}

function cpusOf({ queries, tasks }: Cpus): Cpus {
  for (const [name, cpus] of Object.entries({ queries, tasks })) {
    if (!Array.isArray(cpus) || cpus.length === 0)
      throw new DhaaraError('DHAARA_OPTION', `cpus.${name} names no processor; expected numbers of some, such as [0]`)
    for (const cpu of cpus) wholeNumber(`a processor of cpus.${name}`, cpu, 0)
  }
  return { queries, tasks }
}
