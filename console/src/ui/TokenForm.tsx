import { setToken } from '../lib/api.ts'
import { Dialog } from './Dialog.tsx'

/** The app has a token: it is kept for this tab. @param refused one was given, and is another one */
export function TokenForm({ given, refused }: { given: () => void; refused: boolean }) {
  const submit = (event: Event): void => {
    event.preventDefault()
    const token = new FormData(event.currentTarget as HTMLFormElement).get('token')
    if (typeof token !== 'string' || token === '') return
    setToken(token)
    given()
  }
  return (
    <Dialog title="Token" close={() => {}} stays>
      <form class="token" onSubmit={submit}>
        <h2>This app asks for a token</h2>
        <p>It is the one of its options: http.token. It stays in this tab.</p>
        {refused && (
          <p class="problem" role="alert">
            The app has another token than this tab.
          </p>
        )}
        <input type="password" name="token" autofocus autocomplete="off" aria-label="Token" />
        <button type="submit">Open</button>
      </form>
    </Dialog>
  )
}
