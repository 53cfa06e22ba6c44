import { engineSubject } from '../../ceilings/common/dhaara.ts'
import { totalsByCustomer } from '../../ceilings/keyed-aggregate/topology.ts'

/**
 * With the memory that an app has by default, as the peers have theirs: all customers fit into the cache. `ceilings` gives it a
 * tenth, as its yardstick has. A checkpoint each second, as often as the peers that make some.
 */
export const subject = engineSubject(totalsByCustomer, 'orders', { interval: () => 1000 })
