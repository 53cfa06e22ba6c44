import type { KStream } from '../../src/index.ts'
import { json } from '../lib/topics.ts'
import type { Region } from './regions.ts'

export type Alert =
  | { readonly type: 'MILESTONE'; readonly contentId: string; readonly viewers: number; readonly at: number }
  | {
      readonly type: 'SCALE_ALERT'
      readonly severity: 'HIGH'
      readonly contentId: string
      readonly concurrent: number
      readonly at: number
      readonly action: 'AUTO_SCALE_IMMEDIATELY'
    }
  | {
      readonly type: 'REGIONAL_OVERLOAD'
      readonly severity: 'MEDIUM'
      readonly region: Region
      readonly demand: number
      readonly at: number
      readonly action: 'ACTIVATE_BACKUP_CDNS'
    }
  | {
      readonly type: 'QUALITY_DROPS'
      readonly severity: 'MEDIUM'
      readonly region: Region
      readonly changes: number
      readonly drops: number
      readonly at: number
    }
  | {
      readonly type: 'CDN_INVESTIGATE'
      readonly region: Region
      readonly contentId: string
      readonly eventId: string
      readonly bufferPercent: number
    }

/** Each group of rules sends its own, so that none waits for another's watermark. */
export function sendAlerts<K extends string>(alerts: KStream<K, Alert>): void {
  alerts.to('hotstar-alerts', json)
}
