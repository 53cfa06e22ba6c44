import { patternSubject, relaxed } from '../common/patterns.ts'

export const subject = patternSubject(relaxed)
