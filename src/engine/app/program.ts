import { planOf } from '../../dsl/topology/plan-of.ts'
import type { Topology } from '../../dsl/topology/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import type { Logger } from './settings/logger.ts'
import { inModule, loadModule } from './module.ts'
import type { Program } from './settings/options.ts'
import type { WorkerProgram } from './workers/workers.ts'

/** What an app runs, and where. */
export interface LoadedProgram {
  readonly topology: Topology
  /** Absent: all tasks run in this thread. */
  readonly workers?: WorkerProgram
  /** Of a module that runs in this thread. */
  readonly setup: () => Promise<void>
  readonly teardown: () => Promise<void>
}

/** @throws DhaaraError DHAARA_OPTION: workers cannot be given this topology, or this many of them are none */
export function checkProgram({ topology, workers = 0, ...rest }: Program & { readonly clock?: unknown }): void {
  if (!Number.isInteger(workers) || workers < 0 || workers > 1024)
    throw new DhaaraError(
      'DHAARA_OPTION',
      `workers is ${workers}; expected a whole number from 0 (this thread) to 1024`,
    )
  if (topology instanceof URL) {
    if (workers === 0 || rest.clock === undefined) return
    throw new DhaaraError(
      'DHAARA_OPTION',
      'a clock of your own cannot be sent to worker threads; leave clock or workers out',
    )
  }
  if (isTopology(topology)) {
    if (workers === 0) return
    throw new DhaaraError(
      'DHAARA_OPTION',
      `workers is ${workers} and topology is an object, whose functions cannot be sent to other threads; ` +
        `give the module that makes it: topology: new URL('./topology.ts', import.meta.url), with the topology as its default export, or leave workers out`,
    )
  }
  throw new DhaaraError(
    'DHAARA_OPTION',
    `topology is ${kindOf(topology)}; expected a topology (builder.build()) or the URL of a module: new URL('./topology.ts', import.meta.url)`,
  )
}

/** Loads a topology that is given as a module. @throws DhaaraError DHAARA_MODULE */
export async function loadProgram(program: Program, logger: Logger): Promise<LoadedProgram> {
  const { topology: given, workers = 0 } = program
  const nothing = async (): Promise<void> => {}
  if (!(given instanceof URL)) return { topology: given, setup: nothing, teardown: nothing }
  const settings = ('settings' in program ? program.settings : undefined) ?? {}
  const { topology, module } = await loadModule(given, { settings })
  if (workers > 0) {
    const parts = { url: given, settings, hash: topology.hash, workers }
    return { topology, workers: parts, setup: nothing, teardown: nothing }
  }
  const ending = new AbortController()
  const env = { settings, worker: 0, signal: ending.signal, logger }
  return {
    topology,
    setup: () => inModule('setup', () => module.setup?.(env)),
    teardown: () => {
      ending.abort()
      return inModule('teardown', () => module.teardown?.(env))
    },
  }
}

function isTopology(value: unknown): boolean {
  try {
    planOf(value as Topology)
    return true
  } catch {
    return false
  }
}

const kindOf = (value: unknown): string =>
  value === null
    ? 'null'
    : typeof value === 'string'
      ? `the text '${value}'`
      : typeof value === 'object'
        ? `an object of ${value.constructor?.name ?? 'no class'}`
        : typeof value
