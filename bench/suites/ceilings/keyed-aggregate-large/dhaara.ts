import { engineSubject } from '../common/dhaara.ts'
import { totalsByCustomer } from '../keyed-aggregate/topology.ts'

/** Of a row with its key, as the cache counts it: four times what it takes when it is encoded. */
const rowBytes = 47 * 4

/**
 * The yardstick's two generations hold 75,000 rows in the middle, and what waits to be written lies beside them; the engine counts
 * that into its limit: some 35,000 rows in 100 ms.
 */
export const subject = engineSubject(totalsByCustomer, 'orders', { cacheBytes: (75_000 + 35_000) * rowBytes })
