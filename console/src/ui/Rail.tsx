import { connection } from '../lib/live.ts'
import { href, type Page } from '../lib/route.ts'
import { useStore } from '../lib/store.ts'
import { useJson } from '../lib/use-json.ts'

/** One stroke each; drawn for this console. */
const icons: Readonly<Record<Page, string>> = {
  flow: 'M3 6c4-3 6 3 9 0s5-2 9 0M3 12c4-3 6 3 9 0s5-2 9 0M3 18c4-3 6 3 9 0s5-2 9 0',
  time: 'M3 20h18M4 16l5-6 4 3 7-9',
  stores: 'M4 6c0-4 16-4 16 0s-16 4-16 0M4 6v12c0 4 16 4 16 0V6M4 12c0 4 16 4 16 0',
  topics: 'M4 5h16M4 10h16M4 15h10M4 20h10',
  letters: 'M3 6h18v12H3zM3 7l9 7 9-7',
  tasks: 'M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h6v6h-6z',
  errors: 'M12 4l9 16H3zM12 10v4M12 17v.5',
}

export const titles: Readonly<Record<Page, string>> = {
  flow: 'Flow',
  time: 'Time',
  stores: 'Stores',
  topics: 'Topics',
  letters: 'Letters',
  tasks: 'Tasks',
  errors: 'Errors',
}

export function Rail({ page }: { page: Page }) {
  const state = useStore(connection)
  const { value: app } = useJson<{ readonly pages: readonly string[] }>(state === 'live' ? 'api/app' : undefined)
  return (
    <nav class="rail" aria-label="Pages">
      <a class="mark" href={href('flow')} aria-label="dhaara">
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <path d="M4 10c5-5 9 5 14 1s6-3 10-1" />
          <path d="M4 16c5-5 9 5 14 1s6-3 10-1" />
          <path d="M4 22c5-5 9 5 14 1s6-3 10-1" />
        </svg>
      </a>
      {(Object.keys(icons) as Page[]).map((name, i) => (
        <a
          key={name}
          href={href(name)}
          class={name === page ? 'here' : ''}
          aria-current={name === page ? 'page' : undefined}
        >
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <path d={icons[name]} />
          </svg>
          <span>{titles[name]}</span>
          <kbd>{i + 1}</kbd>
        </a>
      ))}
      {app?.pages.map((name) => (
        <a key={name} href={`pages/${name}/`} class="own">
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <path d="M4 5h16v14H4zM4 9h16M8 15l3-3 2 2 4-4" />
          </svg>
          <span>{name}</span>
        </a>
      ))}
    </nav>
  )
}
