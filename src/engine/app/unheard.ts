import { inspect } from 'node:util'
import type { DhaaraError } from '../../errors/index.ts'

/**
 * What becomes of a failure that nobody listens for, as of a promise that is rejected with nobody to catch it: it is written
 * to standard error, and the process will not end as if all were well. What else runs in it runs on.
 */
export function tellUnheard(applicationId: string, error: DhaaraError): void {
  process.exitCode ??= 1
  process.stderr.write(
    `dhaara: the app '${applicationId}' failed. Nobody awaits app.completed or listens with app.on('error'), and it has no logger:\n${inspect(error)}\n`,
  )
}
