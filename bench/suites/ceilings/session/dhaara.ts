import { windows } from '../../../../src/index.ts'
import { engineSubject } from '../common/dhaara.ts'
import { windowTotals } from '../common/windowed.ts'

export const subject = engineSubject(() => windowTotals('customer', windows.session('30s').noGrace()), 'orders')
