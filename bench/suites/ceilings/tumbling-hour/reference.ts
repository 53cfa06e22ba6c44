import type { Reference } from '../../../harness/subject.ts'
import type { Order } from '../../../workload/orders.ts'
import { windowRows } from '../common/windows-reference.ts'

export const reference: Reference<Order> = (orders) => windowRows(orders, 'city', 3_600_000, 3_600_000)
