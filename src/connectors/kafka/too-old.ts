import { DhaaraError } from '../../errors/index.ts'

/** @param found about whom, and what is missing */
export const tooOld = (found: string, cause?: unknown): DhaaraError =>
  new DhaaraError(
    'DHAARA_KAFKA_VERSION',
    `${found}. Apache Kafka 2.8 or newer is needed: upgrade the brokers; what was committed is kept`,
    { cause },
  )
