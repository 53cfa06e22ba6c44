import { useEffect, useRef } from 'preact/hooks'
import type { Page } from '../lib/route.ts'
import { href } from '../lib/route.ts'

export interface Item {
  readonly name: string
  readonly note: string
}

/** What there is to choose from, beside what is chosen. */
export function List({ page, items, chosen }: { page: Page; items: readonly Item[]; chosen: string | undefined }) {
  const here = useRef<HTMLAnchorElement>(null)
  useEffect(() => here.current?.scrollIntoView({ block: 'nearest', inline: 'nearest' }), [chosen])
  return (
    <ul class="list">
      {items.map(({ name, note }) => (
        <li key={name}>
          <a
            ref={name === chosen ? here : null}
            href={href(page, name)}
            class={name === chosen ? 'here' : ''}
            title={name}
          >
            <span>{name}</span>
            <small>{note}</small>
          </a>
        </li>
      ))}
      {items.length === 0 && <li class="none">There are none.</li>}
    </ul>
  )
}
