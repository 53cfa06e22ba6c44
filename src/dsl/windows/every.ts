import { needOneOf } from '../checks.ts'
import type { EmitSpec, WindowSpec } from '../plan/index.ts'
import { type Duration, toMs } from '../time/index.ts'
import { everyVault } from './content.ts'
import type { Every } from './types.ts'

/**
 * Emit mode: windows that changed, each d of event time (or wall clock), then the final one.
 * @throws DhaaraError DHAARA_DURATION
 */
export function every(d: Duration, opts: { readonly clock?: 'event' | 'wall' } = {}): Every {
  const clock = needOneOf(opts.clock ?? 'event', 'every clock', ['event', 'wall'])
  return everyVault.put({} as Every, Object.freeze({ mode: 'every', interval: toMs(d, 'every', 1), clock }))
}

/** @throws DhaaraError DHAARA_OPTION on an unknown mode, or one that these windows cannot have */
export function emitSpec(mode: unknown, windows: WindowSpec): EmitSpec {
  if (typeof mode !== 'string') return everyVault.open(mode)
  const endless = windows.kind === 'count' || windows.kind === 'unlimited'
  return {
    mode: needOneOf(mode, `emit on ${windows.kind} windows`, endless ? ['update'] : ['update', 'close', 'onTime']),
  }
}
