import { byHand } from '../../ceilings/common/patterns-by-hand.ts'
import { lifeOf } from '../workload.ts'
import { sameValueByHand } from './pattern.ts'

export const subject = byHand(sameValueByHand(lifeOf(10_000, 100)))
