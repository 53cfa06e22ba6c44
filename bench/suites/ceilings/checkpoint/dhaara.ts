import { engineSubject } from '../common/dhaara.ts'
import { totalsByCustomer } from '../keyed-aggregate/topology.ts'

/** Variants say how long from one checkpoint to the next. */
export const subject = engineSubject(totalsByCustomer, 'orders', {
  interval: (variant) => (variant === 'only at the end' ? Number.POSITIVE_INFINITY : Number.parseInt(variant, 10)),
})
