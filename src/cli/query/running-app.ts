import type { DirectoryClient } from '../../connectors/embedded/index.ts'
import { DhaaraError } from '../../errors/index.ts'

/**
 * The app to ask, in the process that holds a directory.
 *
 * @param requestOf what it must answer
 * @throws DhaaraError DHAARA_OPTION if no app does, or several do and none is named
 */
export async function runningApp(
  client: DirectoryClient,
  requestOf: (app: string) => string,
  named: string | undefined,
): Promise<string> {
  const prefix = requestOf('')
  const names = (await client.call('requests')) as readonly string[]
  const apps = names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length))
  if (named !== undefined ? apps.includes(named) : apps.length === 1) return named ?? (apps[0] as string)
  const has = apps.length === 0 ? 'runs no app' : `runs ${apps.join(', ')}`
  const wanted = named === undefined ? 'name one by --application-id' : `there is no '${named}'`
  throw new DhaaraError('DHAARA_OPTION', `the process that holds the directory ${has}; ${wanted}`)
}
