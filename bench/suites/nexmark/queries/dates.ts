/** `YYYY-MM-DD`, UTC. */
export const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10)

/** `HH:mm`, UTC. */
export const minuteOf = (time: number): string => new Date(time).toISOString().slice(11, 16)

/** 0..23, UTC. */
export const hourOf = (time: number): number => Math.floor(time / 3_600_000) % 24
