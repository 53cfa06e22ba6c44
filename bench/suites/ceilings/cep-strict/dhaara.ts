import { patternSubject, strict } from '../common/patterns.ts'

export const subject = patternSubject(strict)
