import type { Reference } from '../../../harness/subject.ts'
import type { Order } from '../../../workload/orders.ts'
import { windowRows } from '../common/windows-reference.ts'

export const reference: Reference<Order> = (orders) => windowRows(orders, 'customer', 60_000, 60_000)
