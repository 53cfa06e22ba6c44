import { engineSubject } from '../../ceilings/common/dhaara.ts'
import { totalsByCustomer } from '../../ceilings/keyed-aggregate/topology.ts'

/**
 * With the memory that an app has by default, as the peers have theirs: all customers fit into the cache. `ceilings` gives it a
 * tenth, as its yardstick has.
 */
export const subject = engineSubject(totalsByCustomer, 'orders')
