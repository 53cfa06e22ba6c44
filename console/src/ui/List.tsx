import type { Page } from '../lib/route.ts'
import { href } from '../lib/route.ts'

export interface Item {
  readonly name: string
  readonly note: string
}

/** What there is to choose from, beside what is chosen. */
export function List({ page, items, chosen }: { page: Page; items: readonly Item[]; chosen: string | undefined }) {
  return (
    <ul class="list">
      {items.map(({ name, note }) => (
        <li key={name}>
          <a href={href(page, name)} class={name === chosen ? 'here' : ''}>
            <span>{name}</span>
            <small>{note}</small>
          </a>
        </li>
      ))}
      {items.length === 0 && <li class="none">There are none.</li>}
    </ul>
  )
}
