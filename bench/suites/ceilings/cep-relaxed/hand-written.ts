import { byHand } from '../common/patterns-by-hand.ts'

const within = 10_000

/** By key: times of the As that wait for a B, and of those that wait for a C. */
export const subject = byHand((give) => {
  const open = new Map<string, { forB: number[]; forC: number[] }>()
  return ({ key, type, at }) => {
    if (type === 'D') return
    let state = open.get(key)
    if (type === 'A') {
      if (state === undefined) {
        state = { forB: [], forC: [] }
        open.set(key, state)
      }
      state.forB.push(at)
    } else if (state !== undefined) {
      if (type === 'B') {
        for (const start of state.forB) if (at - start < within) state.forC.push(start)
        state.forB.length = 0
      } else {
        for (const start of state.forC) if (at - start < within) give(3 + at - start)
        state.forC.length = 0
        if (state.forB.length === 0) open.delete(key)
      }
    }
  }
})
