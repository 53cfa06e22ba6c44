import { loop, patternSubject } from '../common/patterns.ts'

export const subject = patternSubject(loop)
