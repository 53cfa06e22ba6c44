import { QUALITIES } from '../../match.ts'
import { titled } from './format.ts'
import type { Minute } from './match-state.ts'

const lately = 10
const tones = ['--accent', '--cool', '--line-strong', '--warm', '--hot']

/** Shares of the last ten minutes' events. */
export function Mix({ minutes }: { readonly minutes: readonly Minute[] }) {
  const last = minutes.slice(-lately)
  return (
    <section class="mix">
      <h2>
        How they watch <small>last {lately} minutes</small>
      </h2>
      <Shares title="Quality" counts={added(last.map(({ qualities }) => qualities))} order={QUALITIES} />
      <Shares title="Network" counts={added(last.map(({ networks }) => networks))} />
      <Shares title="Device" counts={added(last.map(({ devices }) => devices))} />
    </section>
  )
}

type Counts = Readonly<Record<string, number>>

function Shares({ title, counts, order }: { title: string; counts: Counts; order?: readonly string[] }) {
  const names = order ?? Object.keys(counts).sort((a, b) => (counts[b] ?? 0) - (counts[a] ?? 0))
  const total = Object.values(counts).reduce((sum, n) => sum + n, 0)
  return (
    <figure>
      <figcaption>{title}</figcaption>
      <div class="stack">
        {names.map((name, i) => (
          <span
            key={name}
            style={{ flexGrow: total === 0 ? 1 : (counts[name] ?? 0), '--tone': `var(${tones[i % tones.length]})` }}
          />
        ))}
      </div>
      <ul>
        {names.map((name, i) => (
          <li key={name} style={{ '--tone': `var(${tones[i % tones.length]})` }}>
            {/^[a-z]/.test(name) ? titled(name) : name}{' '}
            <b>{total === 0 ? '–' : `${Math.round((100 * (counts[name] ?? 0)) / total)} %`}</b>
          </li>
        ))}
      </ul>
    </figure>
  )
}

function added(all: readonly Partial<Counts>[]): Counts {
  const sums: Record<string, number> = {}
  for (const counts of all) for (const [name, n = 0] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + n
  return sums
}
