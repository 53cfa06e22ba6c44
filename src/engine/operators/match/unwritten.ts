import type { PartTable, Sealer } from '../../../state/stores/index.ts'
import { MATCHER_BYTES } from './key-memory.ts'
import type { KeyRows } from './key-rows.ts'
import type { KeyState } from './key-state.ts'

/** The keys that have changed since they were written, or are being written. */
export class Unwritten {
  private readonly table: PartTable
  private readonly rows: KeyRows
  private changed: KeyState[] = []
  private readonly sealed: { readonly epoch: number; readonly states: readonly KeyState[] }[] = []

  constructor(table: PartTable, rows: KeyRows) {
    this.table = table
    this.rows = rows
  }

  /** In memory, estimated. */
  get bytes(): number {
    let keys = this.changed.length
    for (const { states } of this.sealed) keys += states.length
    return keys * MATCHER_BYTES
  }

  /** The key is written with an epoch. @param keys with live state */
  add(state: KeyState, keys: number, epoch = this.table.running): void {
    if (state.dirty === epoch) return
    state.dirty = epoch
    this.changed.push(state)
    if (this.changed.length > 2 * keys + 1024) this.changed = this.changed.filter(({ dead }) => !dead)
  }

  /** @param sealedKey is called with each key when its rows are */
  seal(sealer: Sealer, epoch: number, sealedKey: (state: KeyState) => void): void {
    const states = this.changed.filter((state) => !state.dead)
    this.changed = []
    if (states.length === 0) return
    const { compare } = this.table.space.keys
    states.sort((a, b) => compare(a.key, b.key))
    for (let i = 0; i < states.length; i++) {
      this.rows.seal(states[i] as KeyState, sealer)
      sealedKey(states[i] as KeyState)
    }
    this.sealed.push({ epoch, states })
  }

  /** Epochs up to this one are in the database. */
  written(epoch: number): void {
    const { sealed } = this
    while (sealed.length > 0 && (sealed[0] as { epoch: number }).epoch <= epoch) {
      const { epoch: at, states } = sealed.shift() as { epoch: number; states: readonly KeyState[] }
      for (let i = 0; i < states.length; i++) {
        const state = states[i] as KeyState
        if (state.dirty === at) state.dirty = 0
      }
    }
  }
}
