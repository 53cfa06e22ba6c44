import { REGIONS } from '../../regions.ts'
import { clock, titled } from './format.ts'
import type { QualityWindow } from './match-state.ts'

const FIVE_MINUTES = 300_000
const shown = 14

/** How often players had to go to a lower quality, region by region: five minutes a square. */
export function Quality({ windows }: { readonly windows: readonly QualityWindow[] }) {
  const last = Math.max(0, ...windows.map(({ start }) => start))
  const starts = Array.from({ length: shown }, (_, i) => last - (shown - 1 - i) * FIVE_MINUTES)
  const at = new Map(windows.map((window) => [`${window.region} ${window.start}`, window]))
  return (
    <section class="quality">
      <h2>
        Drops of quality <small>of changes, by five minutes</small>
      </h2>
      <div class="heat" style={{ '--columns': shown }}>
        {REGIONS.filter((region) => region !== 'pune').map((region) => (
          <div key={region} class="row">
            <b>{titled(region)}</b>
            {starts.map((start) => (
              <Square key={start} window={at.get(`${region} ${start}`)} />
            ))}
          </div>
        ))}
        <div class="row">
          <b />
          {starts.map((start, i) => (
            <small key={start}>{last > 0 && (i === 0 || i === shown - 1 || i === shown / 2) && clock(start)}</small>
          ))}
        </div>
      </div>
    </section>
  )
}

function Square({ window }: { readonly window: QualityWindow | undefined }) {
  if (window === undefined || window.changes === 0) return <span class="square" />
  const share = window.drops / window.changes
  const told = `${titled(window.region)}, ${clock(window.start)}: ${window.drops} of ${window.changes} changes went down`
  const alarmed = window.changes >= 10 && share > 0.3
  return (
    <span
      class={alarmed ? 'square alarmed' : 'square'}
      style={{ '--share': `${Math.min(100, share * 160)}%` }}
      title={told}
    >
      {Math.round(share * 100)}
    </span>
  )
}
