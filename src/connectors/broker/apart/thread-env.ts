import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'

/**
 * The environment of a thread that loads modules: with the compile cache that this thread has been given
 * (`module.enableCompileCache()`), which Node leaves to each thread. It more than halves what loading them takes.
 */
export function threadEnv(): NodeJS.ProcessEnv {
  const own = getCompileCacheDir()
  // what Node makes of a directory is a folder in it, for each version of its own
  return own === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: dirname(own) }
}
