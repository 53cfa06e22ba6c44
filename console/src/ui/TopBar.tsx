import { useEffect, useState } from 'preact/hooks'
import { getJson } from '../lib/api.ts'
import { bytes, duration, rate, short } from '../lib/format.ts'
import { connection, type Live, paused } from '../lib/live.ts'
import { useStore } from '../lib/store.ts'
import { theme, toggleTheme } from '../lib/theme.ts'

const words = { connecting: 'connecting', silent: 'the app is silent', lost: 'no connection' } as const

/** Which app this is, how it is, and the figures that are always wanted. */
export function TopBar({ live }: { live: Live | undefined }) {
  const [name, setName] = useState('')
  const state = useStore(connection)
  const still = useStore(paused)
  const colours = useStore(theme)
  useEffect(() => {
    if (state !== 'live') return
    void getJson<{ applicationId: string }>('api/app').then(
      ({ applicationId }) => {
        setName(applicationId)
        document.title = `${applicationId} · dhaara`
      },
      () => {},
    )
  }, [state])
  const lag = live?.rates.inputs.reduce((sum, input) => sum + input.lag, 0) ?? 0
  return (
    <header class="top">
      <h1>
        <span class="app-name" title={name}>
          {name}
        </span>
        <span role="status" class={`state ${state === 'live' ? (live?.tick.state ?? '') : state}`}>
          {state === 'live' ? live?.tick.state : words[state]}
        </span>
      </h1>
      {live !== undefined && (
        <dl class={`vitals ${state === 'live' ? '' : 'stale'}`}>
          <Vital name="in" value={rate(live.rates.in)} unit="/s" />
          <Vital name="out" value={rate(live.rates.out)} unit="/s" />
          <Vital name="p99" value={duration(live.tick.latency?.p99)} />
          <Vital name="lag" value={short(lag)} warn={lag > 5 * Math.max(1000, live.rates.in)} />
          <Vital name="checkpoint" value={duration(live.tick.checkpoints.ms)} />
          <Vital name="cpu" value={live.tick.process.cpu.toFixed(2)} unit="cores" />
          <Vital name="memory" value={bytes(live.tick.process.rssBytes)} />
          <Vital name="up" value={duration(live.tick.upMs)} />
        </dl>
      )}
      <div class="tools">
        <button
          type="button"
          class="quiet"
          aria-pressed={still}
          title="Hold still (space)"
          onClick={() => paused.set(!still)}
        >
          {still ? 'held' : 'hold'}
        </button>
        <button type="button" class="quiet" title="Dark or light (d)" onClick={toggleTheme}>
          {colours === 'dark' ? 'light' : 'dark'}
        </button>
      </div>
    </header>
  )
}

function Vital({ name, value, unit, warn }: { name: string; value: string; unit?: string; warn?: boolean }) {
  return (
    <div class={warn ? 'warn' : ''}>
      <dt>{name}</dt>
      <dd>
        {value}
        {unit !== undefined && <small>{unit}</small>}
      </dd>
    </div>
  )
}
