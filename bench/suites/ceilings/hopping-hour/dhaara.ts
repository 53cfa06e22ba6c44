import { windows } from '../../../../src/index.ts'
import { engineSubject } from '../common/dhaara.ts'
import { windowTotals } from '../common/windowed.ts'

export const subject = engineSubject(
  () => windowTotals('city', windows.hopping('1h', { advance: '1s' }).grace('5s')),
  'orders',
)
