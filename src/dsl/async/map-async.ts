import { DhaaraError } from '../../errors/index.ts'
import { needCount, needFunction } from '../checks.ts'
import type { Handle } from '../handle.ts'
import { present } from '../helpers.ts'
import type { BreakerSpec, PlanNode, RetrySpec } from '../plan/index.ts'
import { toMs } from '../time/index.ts'
import { show } from '../vault.ts'
import type { AsyncOptions, Breaker, Retry } from './types.ts'

const orders: readonly unknown[] = ['key', 'all', false]

export function mapAsync(at: Handle, fn: unknown, opts: AsyncOptions<any, any, any, any>): PlanNode {
  const call = needFunction(fn, 'mapAsync')
  const ordered = opts.ordered ?? 'key'
  if (!orders.includes(ordered)) {
    throw new DhaaraError('DHAARA_OPTION', `mapAsync ordered: found ${show(ordered)}; expected 'key', 'all' or false`)
  }
  const base = at.draft.step('mapAsync', [at.node], opts.name)
  return at.draft.add({
    ...base,
    kind: 'mapAsync',
    table: false,
    key: at.node.key,
    value: opts.value,
    fn: call,
    concurrency: needCount(opts.concurrency ?? 16, 'mapAsync concurrency'),
    ordered,
    ...present({
      timeout: opts.timeout === undefined ? undefined : toMs(opts.timeout, 'mapAsync timeout', 1),
      retry: opts.retry && retrySpec(opts.retry),
      breaker: opts.breaker && breakerSpec(opts.breaker),
      fallback: opts.fallback,
    }),
  })
}

function retrySpec(retry: Retry): RetrySpec {
  return {
    attempts: needCount(retry.attempts, 'mapAsync retry.attempts'),
    backoff: toMs(retry.backoff ?? '100ms', 'mapAsync retry.backoff'),
    maxBackoff: toMs(retry.maxBackoff ?? '10s', 'mapAsync retry.maxBackoff'),
    jitter: retry.jitter ?? true,
    ...present({ when: retry.when }),
  }
}

function breakerSpec(breaker: Breaker): BreakerSpec {
  const share = breaker.share ?? 0.5
  if (!(share > 0 && share <= 1)) {
    throw new DhaaraError('DHAARA_OPTION', `mapAsync breaker.share: found ${show(share)}; expected a share in (0, 1]`)
  }
  return {
    failures: needCount(breaker.failures ?? 10, 'mapAsync breaker.failures'),
    share,
    over: toMs(breaker.over ?? '10s', 'mapAsync breaker.over', 1),
    openFor: toMs(breaker.openFor ?? '30s', 'mapAsync breaker.openFor', 1),
  }
}
