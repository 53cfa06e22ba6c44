/** The job, on workers that throw, or do nothing more, when they are told to. */
import { parentPort } from 'node:worker_threads'

export { default } from './job.ts'

export function setup(): void {
  parentPort?.on('message', (text: string) => {
    if (text === 'block') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    throw new RangeError(text)
  })
  parentPort?.unref()
}
