import { engineSubject } from '../common/dhaara.ts'
import { totalsByCustomer } from '../keyed-aggregate/topology.ts'

/** Room for a tenth of the rows, at four times their encoded 45 bytes. */
export const subject = engineSubject(totalsByCustomer, 'orders', { cacheBytes: 100_000 * 45 * 4 })
