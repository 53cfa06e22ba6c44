import { go } from '../lib/route.ts'
import type { Finding } from '../lib/verdict.ts'
import { live } from '../lib/live.ts'

/** What deserves a look, in words; a click leads there. */
export function Findings({ found }: { found: readonly Finding[] }) {
  const follow = ({ step, task, kind }: Finding): void => {
    if (step !== undefined) go('flow', live.value?.graph.nodes.find(({ id }) => id === step)?.name)
    else if (task !== undefined) go('tasks', task)
    else if (kind === 'errors') go('errors')
  }
  return (
    <ul class="findings" aria-label="What deserves a look" aria-live="polite" aria-relevant="additions">
      {found.map((finding) => (
        <li key={finding.kind} class={`finding ${finding.kind}`}>
          <button type="button" onClick={() => follow(finding)}>
            <b>{finding.text}</b>
            <span>{finding.detail}</span>
          </button>
        </li>
      ))}
    </ul>
  )
}
