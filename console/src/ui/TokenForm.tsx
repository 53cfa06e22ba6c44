import { setToken } from '../lib/api.ts'
import { Dialog } from './Dialog.tsx'

/** The app has a token: it is kept for this tab. */
export function TokenForm({ given }: { given: () => void }) {
  const submit = (event: Event): void => {
    event.preventDefault()
    const token = new FormData(event.currentTarget as HTMLFormElement).get('token')
    if (typeof token !== 'string' || token === '') return
    setToken(token)
    given()
  }
  return (
    <Dialog title="Token" close={() => {}}>
      <form class="token" onSubmit={submit}>
        <h2>This app asks for a token</h2>
        <p>It is the one of its options: http.token. It stays in this tab.</p>
        <input type="password" name="token" autofocus autocomplete="off" aria-label="Token" />
        <button type="submit">Open</button>
      </form>
    </Dialog>
  )
}
