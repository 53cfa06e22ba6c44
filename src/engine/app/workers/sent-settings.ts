import { DhaaraError } from '../../../errors/index.ts'
import { Headers } from '../../runtime/record.ts'
import type { Asker } from './ask.ts'
import type { ErrorAction, ErrorPolicy, Settings } from '../settings/options.ts'
import { receiveError, sendError } from '../../../errors/sent-error.ts'
import type { Question, SentSettings } from './worker-protocol.ts'

/** What workers are told of the settings: they ask where a policy is a function. */
export function sentSettings({ clock: _, logger: __, policies, ...rest }: Settings): SentSettings {
  const sent = (policy: ErrorPolicy): ErrorAction | 'ask' => (typeof policy === 'function' ? 'ask' : policy)
  const { data, user, external } = policies
  return { ...rest, policies: { data: sent(data), user: sent(user), external: sent(external) } }
}

/** Lets the owner's policy decide for a worker. */
export function answerPolicy(
  { policies }: Settings,
  { domain, error, record }: Extract<Question, { type: 'policy' }>,
): ErrorAction | 'retry' {
  const policy = policies[domain]
  if (typeof policy !== 'function') return policy
  const known = receiveError(error)
  const found =
    known instanceof DhaaraError ? known : new DhaaraError('DHAARA_INTERNAL', known.message, { cause: known })
  return policy(found, record && { ...record, headers: new Headers(record.headers) })
}

/** The policies of a worker: it asks the owner where a policy is a function. */
export function askedPolicies(asker: Asker, { policies }: SentSettings): Settings['policies'] {
  const policy = (domain: 'data' | 'user' | 'external'): ErrorPolicy => {
    const given = policies[domain]
    if (given !== 'ask') return given
    return (error, record) => {
      const sent = record && { ...record, headers: [...record.headers] }
      return asker.ask({ type: 'policy', domain, error: sendError(error), record: sent }) as ErrorAction
    }
  }
  return { data: policy('data'), user: policy('user'), external: policy('external') }
}
