import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { hasToken, onTokenWanted } from './lib/api.ts'
import { useKeys } from './lib/keys.ts'
import { connection, follow, live, paused } from './lib/live.ts'
import { go, pages, route } from './lib/route.ts'
import { useStore } from './lib/store.ts'
import { toggleTheme } from './lib/theme.ts'
import { Errors } from './pages/Errors.tsx'
import { Flow } from './pages/Flow.tsx'
import { Letters } from './pages/Letters.tsx'
import { Stores } from './pages/Stores.tsx'
import { Tasks } from './pages/Tasks.tsx'
import { Time } from './pages/Time.tsx'
import { Topics } from './pages/Topics.tsx'
import { Help } from './ui/Help.tsx'
import { Palette } from './ui/Palette.tsx'
import { Rail } from './ui/Rail.tsx'
import { TokenForm } from './ui/TokenForm.tsx'
import { TopBar } from './ui/TopBar.tsx'

export function App() {
  const [following, again] = useState(0)
  const [wanted, setWanted] = useState(false)
  const [open, setOpen] = useState<'palette' | 'help'>()
  const now = useStore(live)
  const { page, chosen } = useStore(route)
  const state = useStore(connection)
  useEffect(() => {
    const stop = new AbortController()
    void follow(stop.signal)
    return () => stop.abort()
  }, [following])
  useEffect(() => onTokenWanted(() => setWanted(true)), [])
  useKeys({
    ...Object.fromEntries(pages.map((name, i) => [String(i + 1), () => go(name)])),
    '/': () => setOpen('palette'),
    'mod+k': () => setOpen('palette'),
    '?': () => setOpen('help'),
    d: toggleTheme,
    ' ': () => paused.set(!paused.value),
  })
  const given = (): void => {
    setWanted(false)
    again(following + 1)
  }
  return (
    <>
      <Rail page={page} />
      <TopBar live={now} />
      <main class={state === 'live' || now === undefined ? '' : 'stale'}>
        {now === undefined ? <Waiting /> : <Shown>{shown()}</Shown>}
      </main>
      {open === 'palette' && <Palette close={() => setOpen(undefined)} />}
      {open === 'help' && <Help close={() => setOpen(undefined)} />}
      {wanted && <TokenForm given={given} refused={hasToken()} />}
    </>
  )

  function shown(): ComponentChildren {
    if (now === undefined) return null
    switch (page) {
      case 'flow':
        return <Flow live={now} chosen={chosen} />
      case 'time':
        return <Time live={now} />
      case 'stores':
        return <Stores chosen={chosen} />
      case 'topics':
        return <Topics live={now} chosen={chosen} />
      case 'letters':
        return <Letters chosen={chosen} />
      case 'tasks':
        return <Tasks live={now} chosen={chosen} />
      case 'errors':
        return <Errors />
    }
  }
}

const Shown = ({ children }: { children: ComponentChildren }) => <>{children}</>

const Waiting = () => (
  <div class="waiting">
    <span class="pulse" />
    {connection.value === 'lost' ? 'The app does not answer; trying again' : 'Listening to the app'}
  </div>
)
