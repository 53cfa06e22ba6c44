import { hoppingByCity } from '../hopping/hand-written.ts'

export const subject = hoppingByCity(3_600_000)
