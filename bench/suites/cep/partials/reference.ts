import { lifeOf } from '../workload.ts'
import { sameValueReference } from './pattern.ts'

export const reference = sameValueReference(lifeOf(10_000, 100))
