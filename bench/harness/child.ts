/** The process that one run lives in. Its job is its one argument (JSON); the answer goes over the channel to the parent. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expected, measure } from './measure.ts'
import type { Measured, RunSpec } from './run.ts'
import type { Outcome } from './run.ts'

export interface Job extends RunSpec {
  /** What the module at `path` exports. */
  readonly kind: 'subject' | 'reference'
  readonly path: string
  readonly variant: string
}

export type Answer = Measured | Outcome

if (import.meta.main) {
  const job = JSON.parse(process.argv[2]!) as Job
  const module = await import(pathToFileURL(job.path).href)
  const dir = mkdtempSync(join(tmpdir(), 'dhaara-bench-'))
  let answer: Answer
  try {
    if (job.kind === 'reference') answer = expected(module.reference, job)
    else answer = await measure(module.subject, job, dir, job.variant)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
  process.send?.(answer, undefined, undefined, () => process.disconnect?.())
}
