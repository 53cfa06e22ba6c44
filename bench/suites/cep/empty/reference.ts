import { sameValueReference } from '../partials/pattern.ts'

export const reference = sameValueReference(50)
