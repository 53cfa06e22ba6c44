import { byHand } from '../../ceilings/common/patterns-by-hand.ts'
import { sameValueByHand } from '../partials/pattern.ts'

export const subject = byHand(sameValueByHand(50))
