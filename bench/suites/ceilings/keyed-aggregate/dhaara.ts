import { engineSubject } from '../common/dhaara.ts'
import { totalsByCustomer } from './topology.ts'

export const subject = engineSubject(totalsByCustomer, 'orders')
