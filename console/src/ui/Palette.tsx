import { useState } from 'preact/hooks'
import { live } from '../lib/live.ts'
import { href, pages } from '../lib/route.ts'
import { Dialog } from './Dialog.tsx'
import { titles } from './Rail.tsx'

interface Entry {
  readonly text: string
  readonly kind: string
  readonly href: string
}

function entries(): Entry[] {
  const { graph, rates } = live.value ?? { graph: { nodes: [] }, rates: { tasks: [] } }
  const stores = new Set(graph.nodes.flatMap((node) => node.stores))
  const topics = new Set(graph.nodes.flatMap((node) => node.topics))
  return [
    ...pages.map((name) => ({ text: titles[name], kind: 'page', href: href(name) })),
    ...graph.nodes.map(({ name }) => ({ text: name, kind: 'step', href: href('flow', name) })),
    ...[...stores].map((name) => ({ text: name, kind: 'store', href: href('stores', name) })),
    ...[...topics].map((name) => ({ text: name, kind: 'topic', href: href('topics', name) })),
    ...rates.tasks.map(({ id }) => ({ text: id, kind: 'task', href: href('tasks', id) })),
  ]
}

/** Goes to anything by its name. */
export function Palette({ close }: { close: () => void }) {
  const [wanted, setWanted] = useState('')
  const [at, setAt] = useState(0)
  const words = wanted.toLowerCase().split(/\s+/)
  const found = entries()
    .filter(({ text, kind }) => words.every((word) => `${text} ${kind}`.toLowerCase().includes(word)))
    .slice(0, 12)
  const pressed = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown') setAt(Math.min(found.length - 1, at + 1))
    else if (event.key === 'ArrowUp') setAt(Math.max(0, at - 1))
    else if (event.key === 'Enter') {
      const entry = found[at]
      if (entry === undefined) return
      location.hash = entry.href
      close()
    } else return
    event.preventDefault()
  }
  return (
    <Dialog title="Find" close={close}>
      <div class="palette">
        <input
          type="text"
          autofocus
          aria-label="Name of a step, store, topic or task"
          placeholder="Step, store, topic, task"
          value={wanted}
          onInput={(event) => {
            setWanted(event.currentTarget.value)
            setAt(0)
          }}
          onKeyDown={pressed}
        />
        <ul>
          {found.map((entry, i) => (
            <li key={`${entry.kind} ${entry.text}`} class={i === at ? 'at' : ''}>
              <a href={entry.href} onClick={close}>
                {entry.text}
                <small>{entry.kind}</small>
              </a>
            </li>
          ))}
        </ul>
      </div>
    </Dialog>
  )
}
