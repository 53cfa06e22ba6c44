import type { Reference } from '../../../harness/subject.ts'
import type { Order } from '../../../workload/orders.ts'
import { slidingRows } from '../common/windows-reference.ts'

export const reference: Reference<Order> = (orders) => slidingRows(orders, 3_600_000, 1_000)
