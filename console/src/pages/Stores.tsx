import { useState } from 'preact/hooks'
import { useJson } from '../lib/use-json.ts'
import { List } from '../ui/List.tsx'
import { QueryBar } from './stores/QueryBar.tsx'
import { type Asked, nothing, type StoreInfo } from './stores/query.ts'
import { RowTable } from './stores/RowTable.tsx'
import { useRows } from './stores/use-rows.ts'

const kinds: Readonly<Record<StoreInfo['kind'], string>> = {
  keyValue: 'by key',
  list: 'lists',
  window: 'windows',
  inner: 'of its step alone',
}

/** State, to be looked into while it changes. */
export function Stores({ chosen }: { chosen: string | undefined }) {
  const { value: stores = [], problem } = useJson<readonly StoreInfo[]>('api/stores')
  const store = stores.find(({ name }) => name === chosen) ?? stores.find(({ kind }) => kind !== 'inner')
  const items = stores.map(({ name, kind, partitions }) => ({
    name,
    note: `${kinds[kind]}, ${partitions} ${partitions === 1 ? 'partition' : 'partitions'}`,
  }))
  return (
    <div class="split">
      <List page="stores" items={items} chosen={store?.name} />
      {problem !== undefined && <p class="problem">{problem}</p>}
      {store !== undefined && <Opened key={store.name} store={store} />}
    </div>
  )
}

function Opened({ store }: { store: StoreInfo }) {
  const [asked, setAsked] = useState<Asked>(nothing)
  const [following, setFollowing] = useState(false)
  const [cursors, setCursors] = useState<readonly string[]>([])
  const rows = useRows(store, asked, cursors.at(-1), following)
  const ask = (next: Asked): void => {
    setCursors([])
    setAsked(next)
  }
  if (store.kind === 'inner')
    return <p class="empty">This is what its step remembers, and means nothing to anybody else.</p>
  return (
    <section class="opened">
      <QueryBar store={store} asked={asked} ask={ask} following={following} follow={setFollowing} />
      {rows.problem !== undefined && <p class="problem">{rows.problem}</p>}
      <RowTable rows={rows} />
      <footer class="pager">
        <button
          type="button"
          class="chip"
          disabled={cursors.length === 0}
          onClick={() => setCursors(cursors.slice(0, -1))}
        >
          back
        </button>
        <button
          type="button"
          class="chip"
          disabled={rows.cursor === undefined}
          onClick={() => setCursors([...cursors, rows.cursor as string])}
        >
          on
        </button>
        <span>{following ? 'as it changes, the last change first' : 'as of the last checkpoint'}</span>
      </footer>
    </section>
  )
}
