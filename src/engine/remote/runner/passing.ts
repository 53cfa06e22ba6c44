import { DhaaraError } from '../../../errors/index.ts'

/** What begins anew with what is committed may get over. A local database that has refused a write refuses all later ones. */
export const mayPass = (error: unknown): error is DhaaraError =>
  error instanceof DhaaraError &&
  error.retryable &&
  error.code !== 'DHAARA_DISK_FULL' &&
  error.code !== 'DHAARA_STATE_IO'
