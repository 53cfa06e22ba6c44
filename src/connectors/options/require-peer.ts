import { createRequire } from 'node:module'
import { DhaaraError } from '../../errors/index.ts'

const require = createRequire(import.meta.url)

/** Loads what must be installed beside dhaara, where nobody can wait for it. @throws DhaaraError DHAARA_PEER_MISSING */
export function requirePeer<T>(name: string, what: string): T {
  try {
    return require(name) as T
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw cause
    const message = `${what} needs the package ${name}, which is not installed; npm install ${name}`
    throw new DhaaraError('DHAARA_PEER_MISSING', message, { cause })
  }
}
