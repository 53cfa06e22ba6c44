import { DhaaraError } from '../../../errors/index.ts'
import { tooOld } from '../too-old.ts'

/** All errors within an error: its causes, and the parts of an AggregateError. */
function* within(error: unknown, depth = 0): Generator<Error> {
  if (!(error instanceof Error) || depth > 8) return
  yield error
  yield* within(error.cause, depth + 1)
  const parts = (error as { errors?: unknown }).errors
  if (Array.isArray(parts)) for (const part of parts) yield* within(part, depth + 1)
}

const hints: readonly (readonly [RegExp, string])[] = [
  [/certificate|CERT_|self.signed/i, "is its certificate to be trusted? Give the authority's as ssl: { ca }"],
  [/tls|ssl|wrong version number|EPROTO/i, 'does its listener speak TLS as the option ssl says?'],
  [/closed|ECONNRESET/i, 'does its listener want TLS or a login (options ssl and sasl)?'],
]

/** What a library threw, in our words. */
export function failure(error: unknown, address: string): DhaaraError {
  const all = [...within(error)]
  const texts = [...new Set(all.map(({ message }) => message).filter((text) => text !== ''))]
  const text = texts.length === 0 ? String(error) : texts.join('; ')
  const signs = all
    .map((e) => `${e.name} ${(e as { code?: unknown }).code} ${(e as { type?: unknown }).type}`)
    .join(' ')
  if (/sasl|authenticat/i.test(`${signs} ${text}`)) {
    const message = `The broker at ${address} did not let us in: ${text}. Look at the option sasl, and at the broker's listener`
    return new DhaaraError('DHAARA_KAFKA_AUTH', message, { cause: error })
  }
  if (/api versions not supported|unsupported_version/i.test(`${signs} ${text}`)) {
    return tooOld(`The broker at ${address} is too old: ${text}`, error)
  }
  if (/timeout|timed out/i.test(`${signs} ${text}`)) {
    return new DhaaraError('DHAARA_KAFKA_TIMEOUT', `The broker at ${address} did not answer in time: ${text}`, {
      cause: error,
    })
  }
  const hint = hints.find(([sign]) => sign.test(`${signs} ${text}`))?.[1] ?? 'is it running, and is the address right?'
  return new DhaaraError('DHAARA_KAFKA_CONNECT', `No connection to the broker at ${address}: ${text}; ${hint}`, {
    cause: error,
  })
}
