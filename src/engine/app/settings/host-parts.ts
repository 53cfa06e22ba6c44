import type { Host } from '../../runtime/host.ts'
import type { Settings } from './options.ts'
import type { Policies } from './policies.ts'

type HostParts = Pick<Host, 'now' | 'onUserError' | 'onDataError' | 'deadLetter' | 'deadLetterRaw' | 'options'>

/** What a group of tasks needs of its app's settings and policies, wherever it runs. @param share of the app's cache */
export function hostParts(settings: Settings, policies: Policies, careful: boolean, share = 1): HostParts {
  return {
    now: () => settings.clock.now(),
    onUserError: (error, rec) => policies.onUserError(error, rec),
    onDataError: (error, source, batch, i) => policies.onDataError(error, source, batch, i),
    deadLetter: (error, rec) => policies.deadLetter(error, rec),
    deadLetterRaw: (error, batch, i) => policies.deadLetterRaw(error, batch, i),
    options: {
      careful: careful || settings.strict,
      strict: settings.strict,
      codegen: true,
      cacheBytes: settings.cacheBytes * share,
      maxTimestampAhead: settings.maxTimestampAhead,
      maxTaskIdle: settings.maxTaskIdle,
      emptyIdle: settings.maxTaskIdle,
      batchSize: 2048,
    },
  }
}
