/**
 * Timers in a ring of one slot a millisecond (a hashed timing wheel: Varghese and Lauck, 1987), for times less than a
 * turn ahead. Setting and firing cost O(1); advancing looks at each slot that time passes.
 */
export class Wheel<T> {
  readonly #slots: (T[] | undefined)[] = new Array(slots).fill(undefined)
  #now = -Infinity

  /** `at` lies after the time last advanced to, and less than 65,536 ms after. */
  set(at: number, timer: T): void {
    const slot = at % slots
    const timers = this.#slots[slot]
    if (timers === undefined) this.#slots[slot] = [timer]
    else timers.push(timer)
  }

  /** Fires all timers up to and including `time`. */
  advance(time: number, fire: (timer: T) => void): void {
    const from = Math.max(this.#now + 1, time - slots + 1)
    this.#now = Math.max(this.#now, time)
    for (let at = from; at <= time; at++) this.#fireSlot(at % slots, fire)
  }

  /** Fires all that are left. `fire` sets no new ones. */
  drain(fire: (timer: T) => void): void {
    for (let slot = 0; slot < slots; slot++) this.#fireSlot(slot, fire)
  }

  #fireSlot(slot: number, fire: (timer: T) => void): void {
    const timers = this.#slots[slot]
    if (timers === undefined) return
    this.#slots[slot] = undefined
    for (const timer of timers) fire(timer)
  }
}

const slots = 65_536
