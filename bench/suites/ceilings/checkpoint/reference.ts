export { reference } from '../keyed-aggregate/reference.ts'
