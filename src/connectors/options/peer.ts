import { DhaaraError } from '../../errors/index.ts'

/** Loads what must be installed beside dhaara. @throws DhaaraError DHAARA_PEER_MISSING */
export async function loadPeer<T>(name: string, connector: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw new DhaaraError(
      'DHAARA_PEER_MISSING',
      `${connector} needs the package ${name}, which is not installed; npm install ${name}`,
      {
        cause,
      },
    )
  }
}
