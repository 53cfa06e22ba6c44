import { useEffect, useState } from 'preact/hooks'
import { onTokenWanted } from '../../../../console/src/lib/api.ts'
import { useStore } from '../../../../console/src/lib/store.ts'
import { theme, toggleTheme } from '../../../../console/src/lib/theme.ts'
import { useKeys } from '../../../../console/src/lib/keys.ts'
import { TokenForm } from '../../../../console/src/ui/TokenForm.tsx'
import { phaseAt } from '../../match.ts'
import { Alerts } from './Alerts.tsx'
import { Audience } from './Audience.tsx'
import { clock, grouped, spoken, titled } from './format.ts'
import { connected, follow, match } from './match-state.ts'
import { Mix } from './Mix.tsx'
import { Player } from './Player.tsx'
import { Quality } from './Quality.tsx'
import { Regions } from './Regions.tsx'

const MILLION = 1_000_000

export function App() {
  const [following, again] = useState(0)
  const [wanted, setWanted] = useState(false)
  const now = useStore(match)
  const live = useStore(connected)
  const colours = useStore(theme)
  useEffect(() => {
    const stop = new AbortController()
    follow(stop.signal)
    return () => stop.abort()
  }, [following])
  useEffect(() => onTokenWanted(() => setWanted(true)), [])
  useKeys({ d: toggleTheme })
  const last = now.minutes.findLast(({ concurrent }) => concurrent !== undefined)
  const next = Math.floor(now.peak / MILLION) + 1
  return (
    <>
      <header>
        <div>
          <p class="eyebrow">
            <span class={live ? 'dot on' : 'dot'} />
            {live ? 'Live' : 'Waiting for the app'}
            {last !== undefined && ` · ${titled(phaseAt(last.start))} · ${clock(last.start + 60_000)} IST`}
          </p>
          <h1>Chennai v Mumbai, the final</h1>
        </div>
        <div class="score" aria-label="Viewers now">
          <b data-viewers={now.concurrent}>{grouped(now.concurrent)}</b>
          <span>watch now</span>
        </div>
        <dl>
          <div>
            <dt>Peak</dt>
            <dd>{spoken(now.peak)}</dd>
          </div>
          <div>
            <dt>To {spoken(next * MILLION)}</dt>
            <dd>{spoken(Math.max(0, next * MILLION - now.concurrent))}</dd>
          </div>
        </dl>
        <nav>
          <a href="../../">console</a>
          <button type="button" onClick={toggleTheme} title="Dark or light (d)">
            {colours === 'dark' ? 'light' : 'dark'}
          </button>
        </nav>
      </header>
      <main>
        <Audience minutes={now.minutes} peak={now.peak} />
        <Regions demand={now.demand} />
        <Quality windows={now.windows} />
        <Mix minutes={now.minutes} />
        <Alerts alerts={now.alerts} />
        <Player />
      </main>
      {wanted && (
        <TokenForm
          given={() => {
            setWanted(false)
            again(following + 1)
          }}
        />
      )}
    </>
  )
}
