export { subject } from '../keyed-aggregate/hand-written.ts'
