import { patternSubject } from '../../ceilings/common/patterns.ts'
import { sameValue } from '../partials/pattern.ts'

export const subject = patternSubject(sameValue(50))
