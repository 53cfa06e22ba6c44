import type { KeyValueTable } from '../../../state/stores/index.ts'
import type { Timed } from '../../time/clock.ts'
import { Heap } from '../heap.ts'

interface Timer {
  readonly at: number
  /** Order of setting, over restarts. */
  readonly seq: number
}

interface Armed extends Timer {
  readonly key: unknown
  readonly name: string | undefined
  readonly id: string | number
}

/**
 * Timers by key and name, part of the task's state. Setting a name again moves it. They fire in the order of
 * (at, key bytes, order of setting). The heap may hold timers that were moved or deleted since: the store knows.
 */
export class KeyTimers implements Timed {
  readonly stepId: number
  private readonly table: KeyValueTable
  private readonly act: (key: unknown, at: number, name: string | undefined) => void
  private readonly notice: (at: number) => void
  private readonly heap: Heap<Armed>
  private seq = 0

  constructor(
    stepId: number,
    table: KeyValueTable,
    act: (key: unknown, at: number, name: string | undefined) => void,
    notice: (at: number) => void,
  ) {
    this.stepId = stepId
    this.table = table
    this.act = act
    this.notice = notice
    const { compare } = table.space.keys
    this.heap = new Heap((a, b) => {
      if (a.at !== b.at) return a.at < b.at
      const order = compare(a.key, b.key)
      return order === 0 ? a.seq < b.seq : order < 0
    })
    for (const entry of table.scan()) {
      const [key, name] = entry.key as [unknown, string]
      const { at, seq } = entry.value as Timer
      this.seq = Math.max(this.seq, seq + 1)
      this.heap.push({ at, seq, key, name: name === '' ? undefined : name, id: table.space.keys.id(entry.key) })
    }
  }

  set(key: unknown, at: number, name: string | undefined): void {
    const entry = this.table.load([key, name ?? ''])
    const timer = { at, seq: this.seq++ }
    this.table.set(entry, timer, at)
    this.heap.push({ ...timer, key, name, id: this.table.space.keys.id(entry.key) })
    this.notice(at)
  }

  get(key: unknown, name: string | undefined): number | undefined {
    return (this.table.get([key, name ?? '']) as Timer | undefined)?.at
  }

  delete(key: unknown, name: string | undefined): void {
    const entry = this.table.load([key, name ?? ''])
    if (entry.value !== undefined) this.table.set(entry, undefined, entry.ts)
  }

  nextAt(): number {
    for (let top = this.heap.first; top !== undefined; top = this.heap.first) {
      if (this.live(top)) return top.at
      this.heap.pop()
    }
    return Number.POSITIVE_INFINITY
  }

  fire(at: number): void {
    if (this.nextAt() > at) return
    const { key, at: due, name } = this.heap.pop() as Armed
    this.delete(key, name)
    this.act(key, due, name)
  }

  private live(armed: Armed): boolean {
    const timer = this.table.get([armed.key, armed.name ?? '']) as Timer | undefined
    return timer !== undefined && timer.seq === armed.seq
  }
}
