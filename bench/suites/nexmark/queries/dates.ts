const dayLength = 86_400_000

let lastDay = Number.NaN
let lastText = ''

/** `YYYY-MM-DD`, UTC. Most calls ask for the day of the call before. */
export function dayOf(time: number): string {
  const day = Math.floor(time / dayLength)
  if (day !== lastDay) {
    lastText = new Date(day * dayLength).toISOString().slice(0, 'YYYY-MM-DD'.length)
    lastDay = day
  }
  return lastText
}

const two = (n: number): string => String(n).padStart(2, '0')
const minutes = Array.from({ length: 24 * 60 }, (_, i) => `${two(Math.floor(i / 60))}:${two(i % 60)}`)

/** `HH:mm`, UTC. */
export const minuteOf = (time: number): string => minutes[Math.floor(time / 60_000) % minutes.length]!

/** 0..23, UTC. */
export const hourOf = (time: number): number => Math.floor(time / 3_600_000) % 24
