import { byHand } from '../common/patterns-by-hand.ts'

const within = 10_000

/** An A: how many Bs followed it, and how many of these no C has followed yet. */
interface Open {
  readonly start: number
  bs: number
  fresh: number
}

/** A C ends one match for each B that came since the C before: those of an A are its beginnings of all lengths. */
export const subject = byHand((give) => {
  const open = new Map<string, Open[]>()
  return ({ key, type, at }) => {
    if (type === 'D') return
    const list = open.get(key)
    if (list === undefined) {
      if (type === 'A') open.set(key, [{ start: at, bs: 0, fresh: 0 }])
      return
    }
    while (list.length > 0 && at - list[0]!.start >= within) list.shift()
    if (type === 'A') list.push({ start: at, bs: 0, fresh: 0 })
    else if (list.length === 0) open.delete(key)
    else if (type === 'B') {
      for (const one of list) {
        one.bs++
        one.fresh++
      }
    } else {
      for (const one of list) {
        for (let bs = one.bs - one.fresh + 1; bs <= one.bs; bs++) give(2 + bs + at - one.start)
        one.fresh = 0
      }
    }
  }
})
