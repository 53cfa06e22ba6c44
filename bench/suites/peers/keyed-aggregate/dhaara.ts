import { engineSubject } from '../../ceilings/common/dhaara.ts'
import { totalsByCustomer } from '../../ceilings/keyed-aggregate/topology.ts'

/** A checkpoint each second, as often as the peers that make some. `ceilings` has one each 100 ms, as its yardstick has. */
export const subject = engineSubject(totalsByCustomer, 'orders', { interval: () => 1000 })
