import { tumblingByCity } from '../tumbling-city/hand-written.ts'

export const subject = tumblingByCity(3_600_000)
