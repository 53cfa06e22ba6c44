import { existsSync, statSync } from 'node:fs'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { TopologyModule, WorkerEnv } from '../engine/app/module.ts'
import type { LogicalPlan } from '../dsl/plan/index.ts'
import type { Topology } from '../dsl/topology/index.ts'
import { topologyVault } from '../dsl/topology/plan-of.ts'
import { DhaaraError } from '../errors/index.ts'

type Settings = WorkerEnv['settings']

/** What a module of a topology gives. */
export interface LoadedModule {
  readonly url: URL
  readonly topology: Topology
  readonly plan: LogicalPlan
  readonly options: NonNullable<TopologyModule['options']>
  readonly setup?: TopologyModule['setup']
  readonly teardown?: TopologyModule['teardown']
}

/** Files that give their folder's name to the app. */
const plainNames = new Set(['topology', 'index', 'main', 'app'])

/**
 * Loads a module and makes its topology.
 *
 * @param path a file, a folder that holds `topology.ts` or the like, or a file: URL
 * @throws DhaaraError DHAARA_MODULE saying what was found, TopologyError if its topology has problems
 */
export async function loadModule(path: string, settings: Settings): Promise<LoadedModule> {
  const file = fileOf(path)
  const url = pathToFileURL(file)
  const exports = await importModule(url, path)
  const made = await makeTopology(exports, path, settings)
  const { options = {}, setup, teardown } = exports as Record<string, never>
  for (const [name, value] of Object.entries({ setup, teardown })) {
    if (value !== undefined && typeof value !== 'function') throw wrongModule(path, `its ${name} is no function`)
  }
  if (typeof options !== 'object' || options === null) throw wrongModule(path, 'its options are no object')
  return {
    url,
    topology: made,
    plan: topologyVault.open(made),
    options: options as LoadedModule['options'],
    ...(setup === undefined ? {} : { setup }),
    ...(teardown === undefined ? {} : { teardown }),
  }
}

/** The name of the app if none is given: that of the file, or of its folder if the file is called `topology`. */
export function defaultApplicationId(url: URL): string {
  const file = fileURLToPath(url)
  const name = basename(file, extname(file))
  const plain = plainNames.has(name) ? basename(dirname(file)) : name
  return plain.replace(/[^A-Za-z0-9._-]+/g, '-') || 'app'
}

function fileOf(path: string): string {
  const file = resolve(path.startsWith('file:') ? fileURLToPath(path) : path)
  if (!existsSync(file)) {
    throw new DhaaraError('DHAARA_MODULE', `there is no ${file}; give the file that exports the topology`)
  }
  if (!statSync(file).isDirectory()) return file
  const names = ['topology.ts', 'topology.js', 'topology.mjs', 'index.ts', 'index.js', 'index.mjs']
  const found = names.map((name) => join(file, name)).find((name) => existsSync(name))
  if (found !== undefined) return found
  throw new DhaaraError('DHAARA_MODULE', `${file} is a folder without ${names.join(', ')}; give the file itself`)
}

async function importModule(url: URL, path: string): Promise<Record<string, unknown>> {
  try {
    return (await import(url.href)) as Record<string, unknown>
  } catch (cause) {
    // What the DSL refuses is told as it is; it is no failure of loading.
    if (cause instanceof DhaaraError) throw cause
    const { name, message, code } = cause as NodeJS.ErrnoException
    const hint =
      code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX'
        ? '. Node takes types away and no more: no enum, namespace or parameter property'
        : code === 'ERR_UNKNOWN_FILE_EXTENSION'
          ? '. Give a .ts, .js or .mjs file'
          : ''
    throw new DhaaraError('DHAARA_MODULE', `${path} could not be loaded: ${name}: ${message}${hint}`, { cause })
  }
}

async function makeTopology(exports: Record<string, unknown>, path: string, settings: Settings): Promise<Topology> {
  const { default: found } = exports
  if (found === undefined) {
    const names = Object.keys(exports)
    const has = names.length === 0 ? 'it exports nothing' : `it exports ${names.join(', ')} and no default`
    throw wrongModule(path, has)
  }
  const made: unknown =
    typeof found === 'function' ? await call(found as (env: object) => unknown, path, settings) : found
  if (topologyVault.has(made)) return made as Topology
  const of = typeof found === 'function' ? 'what its default function gave' : 'its default export'
  if (typeof (made as Topology | null)?.describe === 'function') {
    throw wrongModule(
      path,
      `${of} was built by another copy of dhaara than this command's; import the one that is installed`,
    )
  }
  if (typeof (made as { build?: unknown } | null)?.build === 'function') {
    throw wrongModule(path, `${of} is a StreamsBuilder; export builder.build()`)
  }
  throw wrongModule(path, `${of} is ${made === null ? 'null' : typeof made}`)
}

async function call(make: (env: object) => unknown, path: string, settings: Settings): Promise<unknown> {
  try {
    return await make({ settings })
  } catch (cause) {
    if (cause instanceof DhaaraError) throw cause
    const text = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)
    throw new DhaaraError('DHAARA_MODULE', `the default function of ${path} threw ${text}`, { cause })
  }
}

const wrongModule = (path: string, what: string): DhaaraError =>
  new DhaaraError(
    'DHAARA_MODULE',
    `${path} is no topology module: ${what}. Expected a default export: builder.build(), or (env) => builder.build()`,
  )
