import { windows } from '../../../../src/index.ts'
import { engineSubject } from '../common/dhaara.ts'
import { windowTotals } from '../common/windowed.ts'

export const subject = engineSubject(() => windowTotals('city', windows.tumbling('1h').grace('5s')), 'orders')
