import { useState } from 'preact/hooks'
import { getJson, Problem } from '../../../../console/src/lib/api.ts'
import type { Session } from '../../sessions.ts'
import { clock } from './format.ts'

/** One session of all, asked of the store. */
export function Player() {
  const [found, setFound] = useState<{ readonly id: string; readonly session: Session | string }>()
  const ask = async (event: Event): Promise<void> => {
    event.preventDefault()
    const id = String(new FormData(event.currentTarget as HTMLFormElement).get('session')).trim()
    if (id === '') return
    try {
      const key = encodeURIComponent(JSON.stringify(id))
      const { value } = await getJson<{ value: Session }>(`../../api/stores/sessions/row?key=${key}`)
      setFound({ id, session: value })
    } catch (error) {
      const none = error instanceof Problem && error.status === 404
      setFound({ id, session: none ? 'Nobody of this name.' : String(error) })
    }
  }
  return (
    <section class="player">
      <h2>A viewer</h2>
      <form onSubmit={(event) => void ask(event)}>
        <input name="session" placeholder="S0000001" aria-label="Session" autocomplete="off" spellcheck={false} />
        <button type="submit">Ask</button>
      </form>
      {found !== undefined && <Told id={found.id} session={found.session} />}
    </section>
  )
}

function Told({ id, session }: { readonly id: string; readonly session: Session | string }) {
  if (typeof session === 'string') return <p class="none">{session}</p>
  const { playing, quality, plays, events, lastEventAt, userId } = session
  return (
    <p class="told" data-session={id}>
      <b class={playing ? 'playing' : ''}>{playing ? 'plays' : 'does not play'}</b> in {quality}; {userId}, {plays}{' '}
      {plays === 1 ? 'play' : 'plays'}, {events} events, the last at {clock(lastEventAt)}
    </p>
  )
}
