import { patternSubject } from '../../ceilings/common/patterns.ts'
import { lifeOf } from '../workload.ts'
import { sameValue } from './pattern.ts'

export const subject = patternSubject(sameValue(lifeOf(10_000, 100)))
