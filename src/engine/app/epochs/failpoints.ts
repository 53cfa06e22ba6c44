/**
 * Named places of a checkpoint where a test can kill the process, or hold a worker back: the only file that reads
 * `FAILPOINTS`. Its value: `<place>:<n>` kills the process, without warning, when the place is reached for the
 * n-th time on some thread; `hold-<worker>` before it (`hold-1,after-write:3`) lets that worker seal late.
 *
 * @internal
 */
export const failPlaces = [
  // the owner
  'epoch-opened',
  'first-part',
  'before-write',
  'in-write',
  'after-write',
  'after-clears',
  'after-told',
  // a worker
  'before-seal',
  'after-seal',
  'before-part',
  'after-written',
] as const

export type FailPlace = (typeof failPlaces)[number]

const given = (process.env['FAILPOINTS'] ?? '').split(',')
const held = given.find((one) => one.startsWith('hold-'))?.slice(5)
const [place, nth] = (given.find((one) => one.includes(':')) ?? '').split(':')
let left = Number(nth)

/** Ends the process here if it is to. */
export function failpoint(at: FailPlace): void {
  if (at === place && --left <= 0) process.kill(process.pid, 'SIGKILL')
}

/** Is this worker to be held back at the barrier? */
export const isHeld = (worker: number): boolean => held === String(worker)
