import { Dialog } from './Dialog.tsx'
import { pages } from '../lib/route.ts'
import { titles } from './Rail.tsx'

const keys: readonly (readonly [string, string])[] = [
  ...pages.map((name, i) => [String(i + 1), titles[name]] as const),
  ['/', 'find a step, store or topic'],
  ['← → ↑ ↓', 'from step to step'],
  ['f', 'fit the graph'],
  ['+ −', 'nearer, farther'],
  ['a', 'every step, as it runs'],
  ['space', 'hold still, and go on'],
  ['d', 'dark or light'],
  ['esc', 'close'],
]

export function Help({ close }: { close: () => void }) {
  return (
    <Dialog title="Keys" close={close}>
      <dl class="keys">
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
