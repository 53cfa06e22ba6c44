import type { Alert } from '../../alerts.ts'
import { clock, spoken, titled } from './format.ts'

/** What somebody has to act on, the last first. */
export function Alerts({ alerts }: { readonly alerts: readonly Alert[] }) {
  return (
    <section class="alerts">
      <h2>Alerts</h2>
      {alerts.length === 0 && <p class="none">Nothing yet.</p>}
      <ol>
        {alerts.map((alert) => (
          <li key={JSON.stringify(alert)} class={alert.type.toLowerCase()}>
            {'at' in alert && <time>{clock(alert.at)}</time>}
            <span>{wordsOf(alert)}</span>
          </li>
        ))}
      </ol>
    </section>
  )
}

function wordsOf(alert: Alert): string {
  switch (alert.type) {
    case 'MILESTONE':
      return `${spoken(alert.viewers)} watch ${alert.contentId === 'ipl_studio_hindi' ? 'the studio' : 'the final'}`
    case 'SCALE_ALERT':
      return `${spoken(alert.concurrent)} viewers: scale at once`
    case 'REGIONAL_OVERLOAD':
      return `${titled(alert.region)} is overloaded, ${spoken(alert.demand)}: backup CDNs`
    case 'QUALITY_DROPS':
      return `${titled(alert.region)}: ${alert.drops} of ${alert.changes} quality changes went down`
    case 'CDN_INVESTIGATE':
      return `${titled(alert.region)}: look into the CDN`
  }
}
