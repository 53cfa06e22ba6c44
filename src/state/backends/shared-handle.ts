/**
 * A gate between the owner of a database and its readers on other threads. The native code does not check whether a database
 * is open, so that a read after closing would kill the process: a reader counts itself in for each native call, the owner shuts
 * the gate and waits until nobody is inside.
 *
 *     gate[0]  1 once shut
 *     gate[1]  readers inside a native call
 */
import { DhaaraError } from '../../errors/index.ts'

/** What another thread needs to read a database. */
export interface SharedHandle {
  readonly address: bigint
  readonly path: string
  readonly gate: Int32Array
}

/** A terminated worker never leaves; no native call takes this long. */
const patience = 5000

/** @throws DhaaraError DHAARA_APP_STATE once shut. */
export function enter(gate: Int32Array): void {
  if (!tryEnter(gate)) throw closedError()
}

/** False once shut. */
export function tryEnter(gate: Int32Array): boolean {
  Atomics.add(gate, 1, 1)
  if (Atomics.load(gate, 0) === 0) return true
  leave(gate)
  return false
}

export function leave(gate: Int32Array): void {
  if (Atomics.sub(gate, 1, 1) === 1 && Atomics.load(gate, 0) === 1) Atomics.notify(gate, 1)
}

export const isClosed = (gate: Int32Array): boolean => Atomics.load(gate, 0) === 1

/** Shuts the gate; resolves when all have left, or after 5 seconds. */
export async function shutAndWait(gate: Int32Array): Promise<void> {
  Atomics.store(gate, 0, 1)
  const until = performance.now() + patience
  for (let inside = Atomics.load(gate, 1); inside > 0; inside = Atomics.load(gate, 1)) {
    const left = until - performance.now()
    if (left <= 0) return
    await Atomics.waitAsync(gate, 1, inside, left).value
  }
}

export const closedError = (): DhaaraError =>
  new DhaaraError('DHAARA_APP_STATE', 'The database is closed; open it again to use it')
