import { VIEWERS, phaseAt } from '../../match.ts'
import { clock, grouped, spoken, titled } from './format.ts'
import type { Minute } from './match-state.ts'

const width = 1000
const height = 260
const flow = 70
const MINUTE = 60_000

/** Viewers of the final by the minute; under it who came and who left. */
export function Audience({ minutes, peak }: { readonly minutes: readonly Minute[]; readonly peak: number }) {
  const first = minutes[0]?.start ?? 0
  const last = Math.max(first + 20 * MINUTE, minutes.at(-1)?.start ?? 0)
  const x = (start: number): number => ((start - first) / (last - first)) * width
  const top = Math.max(1, ...minutes.map(({ concurrent = 0 }) => concurrent)) * 1.12
  const y = (viewers: number): number => height - (viewers / top) * height
  const most = Math.max(1, ...minutes.map(({ joined, left }) => Math.max(joined, left)))
  const known = minutes.filter(({ concurrent }) => concurrent !== undefined)
  const line = known.map(({ start, concurrent = 0 }) => `${x(start).toFixed(1)},${y(concurrent).toFixed(1)}`)
  const wide = Math.max(2, (width * MINUTE) / (last - first) - 3)
  const phases = minutes.filter(({ start }, i) => i > 0 && phaseAt(start) !== phaseAt((minutes[i - 1] as Minute).start))
  return (
    <section class="audience">
      <h2>
        Viewers by the minute <small>{known.length > 0 && `up to ${spoken(peak)}`}</small>
      </h2>
      <div class="plot">
        <svg viewBox={`0 0 ${width} ${height + flow}`} preserveAspectRatio="none" role="img" aria-label="Viewers">
          <defs>
            <linearGradient id="water" x1="0" y1="0" x2="0" y2="1">
              <stop offset="0" stop-color="var(--accent)" stop-opacity="0.42" />
              <stop offset="1" stop-color="var(--accent)" stop-opacity="0.02" />
            </linearGradient>
          </defs>
          {[0.25, 0.5, 0.75].map((share) => (
            <line key={share} class="rule" x1="0" x2={width} y1={height * share} y2={height * share} />
          ))}
          {phases.map(({ start }) => (
            <line key={start} class="phase" x1={x(start)} x2={x(start)} y1="0" y2={height} />
          ))}
          {line.length > 1 && (
            <>
              <path
                d={`M${x(known[0]?.start ?? 0)},${height}L${line.join('L')}L${x(known.at(-1)?.start ?? 0)},${height}Z`}
                fill="url(#water)"
              />
              <path class="viewers" d={`M${line.join('L')}`} />
            </>
          )}
          {minutes.map(({ start, joined, left }) => (
            <g key={start}>
              <title>{`${clock(start)}: ${grouped(joined * VIEWERS)} came, ${grouped(left * VIEWERS)} left`}</title>
              <rect
                class="came"
                x={x(start) - wide / 2}
                y={height + flow / 2 - (joined / most) * (flow / 2 - 6)}
                width={wide}
                height={(joined / most) * (flow / 2 - 6)}
              />
              <rect
                class="left"
                x={x(start) - wide / 2}
                y={height + flow / 2}
                width={wide}
                height={(left / most) * (flow / 2 - 6)}
              />
            </g>
          ))}
        </svg>
        <ol class="levels">
          {[0.75, 0.5, 0.25].map((share) => (
            <li key={share} style={{ top: `${((height * (1 - share)) / (height + flow)) * 100}%` }}>
              {spoken(top * share)}
            </li>
          ))}
        </ol>
        <ol class="phases">
          {phases.map(({ start }) => (
            <li key={start} style={{ left: `${x(start) / 10}%` }}>
              {titled(phaseAt(start))}
            </li>
          ))}
        </ol>
      </div>
      <p class="axis">
        <span>{minutes.length > 0 && clock(first)}</span>
        <span class="legend">
          <i class="came" /> came <i class="left" /> left
        </span>
        <span>{minutes.length > 0 && clock(last)}</span>
      </p>
    </section>
  )
}
