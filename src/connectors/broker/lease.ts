/**
 * Until when a group cannot have given to others what one of its members has: so long after a sign of life that the group has
 * answered it drops nobody. Kept in shared memory, since the thread that sends signs of life is not the one that asks.
 */
export class Lease {
  readonly memory: SharedArrayBuffer
  private readonly until: BigInt64Array

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(8)) {
    this.memory = memory
    this.until = new BigInt64Array(memory)
  }

  /** @param until ns of the machine's steady clock, which goes on while a process is stopped */
  renew(until: bigint): void {
    Atomics.store(this.until, 0, until)
  }

  end(): void {
    Atomics.store(this.until, 0, 0n)
  }

  get holds(): boolean {
    return steadyNow() < Atomics.load(this.until, 0)
  }
}

export const steadyNow = (): bigint => process.hrtime.bigint()
