import type { Asked, StoreInfo } from './query.ts'

interface Props {
  readonly store: StoreInfo
  readonly asked: Asked
  readonly ask: (asked: Asked) => void
  readonly following: boolean
  readonly follow: (on: boolean) => void
}

/** Key, prefix, range; what a store of this kind can be asked. */
export function QueryBar({ store, asked, ask, following, follow }: Props) {
  const submit = (event: Event): void => {
    event.preventDefault()
    const form = new FormData(event.currentTarget as HTMLFormElement)
    const text = (name: string): string => String(form.get(name) ?? '').trim()
    ask({ ...asked, key: text('key'), prefix: text('prefix'), from: text('from'), to: text('to') })
  }
  const windows = store.kind === 'window'
  return (
    <form class="query" onSubmit={submit} onChange={submit}>
      <h2>{store.name}</h2>
      <Field name="key" hint={windows ? 'all keys' : 'one key'} value={asked.key} />
      {store.kind === 'keyValue' && <Field name="prefix" hint="start of keys" value={asked.prefix} />}
      {store.kind !== 'list' && (
        <>
          <Field name="from" hint={windows ? 'first start' : 'first key'} value={asked.from} />
          <Field name="to" hint={windows ? 'last start' : 'last key'} value={asked.to} />
        </>
      )}
      <button type="submit" class="act">
        Ask
      </button>
      <span class="switches">
        <Switch on={following} name="live" set={follow} />
        <Switch on={asked.reverse} name="from the end" set={(reverse) => ask({ ...asked, reverse })} />
        <Switch on={asked.latest} name="uncommitted" set={(latest) => ask({ ...asked, latest })} />
      </span>
    </form>
  )
}

const Field = ({ name, hint, value }: { name: string; hint: string; value: string }) => (
  <label class="field">
    <span>{name}</span>
    <input type="text" name={name} placeholder={hint} defaultValue={value} autocomplete="off" spellcheck={false} />
  </label>
)

const Switch = ({ on, name, set }: { on: boolean; name: string; set: (on: boolean) => void }) => (
  <button type="button" class="chip" aria-pressed={on} onClick={() => set(!on)}>
    {name}
  </button>
)
