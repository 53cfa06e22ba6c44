import type { Topology } from '../../dsl/topology/index.ts'
import { planOf } from '../../dsl/topology/plan-of.ts'
import { DhaaraError } from '../../errors/index.ts'
import type { Logger } from './settings/logger.ts'
import type { AppOptions } from './settings/options.ts'

/** What a topology may be made from. */
export interface TopologyEnv {
  /** `settings` of the app, `--set` of the command line. */
  readonly settings: Readonly<Record<string, string>>
}

export interface WorkerEnv extends TopologyEnv {
  /** Its number, from 0. */
  readonly worker: number
  /** Aborted when the worker is about to end. */
  readonly signal: AbortSignal
  readonly logger: Logger
}

/** A module that workers and the command line load. Its plan must not depend on clock, randomness or the worker. */
export interface TopologyModule {
  readonly default: Topology | ((env: TopologyEnv) => Topology | Promise<Topology>)
  /** Once in each worker, before its tasks. */
  readonly setup?: (worker: WorkerEnv) => void | Promise<void>
  /** Once in each worker, after its tasks. */
  readonly teardown?: (worker: WorkerEnv) => void | Promise<void>
  /** What `dhaara run` starts it with; flags win. */
  readonly options?: Partial<Omit<AppOptions, 'signal' | 'clock'>>
}

export interface LoadedModule {
  readonly topology: Topology
  readonly module: TopologyModule
}

/**
 * Loads a topology module and builds its topology.
 * @throws DhaaraError DHAARA_MODULE, with what was found; what building the topology throws
 */
export async function loadModule(url: URL, env: TopologyEnv): Promise<LoadedModule> {
  let module: Record<string, unknown>
  try {
    module = (await import(url.href)) as Record<string, unknown>
  } catch (cause) {
    // what the DSL refuses is told as it is: it is no failure of loading
    if (cause instanceof DhaaraError) throw cause
    const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)
    throw new DhaaraError('DHAARA_MODULE', `${url.href} could not be loaded: ${why}`, { cause })
  }
  for (const name of ['setup', 'teardown'] as const) {
    if (module[name] !== undefined && typeof module[name] !== 'function')
      throw new DhaaraError(
        'DHAARA_MODULE',
        `${url.href} exports ${name} as ${kindOf(module[name])}; expected a function`,
      )
  }
  const given = module['default']
  const topology = typeof given === 'function' ? await (given as (env: TopologyEnv) => unknown)(env) : given
  if (isTopology(topology)) return { topology, module: module as unknown as TopologyModule }
  const names = Object.keys(module).join(', ') || 'nothing'
  const found =
    given === undefined
      ? `no default export (it exports ${names})`
      : typeof given === 'function'
        ? `a default function that gives ${kindOf(topology)}`
        : `${kindOf(given)} as default export`
  throw new DhaaraError(
    'DHAARA_MODULE',
    `${url.href} has ${found}; expected a topology: export default builder.build(), or a function (env) => builder.build()`,
  )
}

/**
 * Runs a module's `setup` or `teardown`.
 * @throws DhaaraError DHAARA_USER_CODE
 */
export async function inModule(name: 'setup' | 'teardown', fn: () => unknown): Promise<void> {
  try {
    await fn()
  } catch (cause) {
    const text = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)
    throw new DhaaraError('DHAARA_USER_CODE', `${name} of the module threw ${text}`, { cause })
  }
}

function isTopology(value: unknown): value is Topology {
  if (typeof value !== 'object' || value === null) return false
  try {
    planOf(value as Topology)
    return true
  } catch {
    return false
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value !== 'object') return typeof value
  return value instanceof Promise ? 'a promise' : `an object of ${value.constructor?.name ?? 'no class'}`
}
