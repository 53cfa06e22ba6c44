import { instant, whole } from '../lib/format.ts'
import { href } from '../lib/route.ts'
import { useJson } from '../lib/use-json.ts'
import { Stack } from '../ui/Stack.tsx'

interface ErrorKind {
  readonly code: string
  readonly step?: string
  readonly message: string
  readonly stack?: string
  readonly topic?: string
  readonly partition?: number
  readonly offset?: number
  readonly action: string
  readonly count: number
  readonly firstAt: number
  readonly lastAt: number
}

const actions: Readonly<Record<string, string>> = {
  skip: 'skipped',
  deadLetter: 'put aside',
  fail: 'the app fails',
  retry: 'tried again',
}

/** What went wrong with records, by kind, down to the line that threw. */
export function Errors() {
  const { value, problem } = useJson<readonly ErrorKind[]>('api/errors', 2000)
  const kinds = value ?? []
  return (
    <div class="page">
      {problem !== undefined && <p class="problem">{problem}</p>}
      {value?.length === 0 && <p class="empty">No record has failed since the app started.</p>}
      {kinds.map((kind) => (
        <article key={`${kind.code} ${kind.step} ${kind.firstAt}`} class="error">
          <header>
            <b class="count">{whole(kind.count)}</b>
            <div>
              <h2>{kind.message}</h2>
              <p>
                {kind.step !== undefined && <a href={href('flow', kind.step)}>{kind.step}</a>}
                <span class="mono">{kind.code}</span>
                <span>{actions[kind.action] ?? kind.action}</span>
                {kind.topic !== undefined && (
                  <span class="mono">
                    {kind.topic}/{kind.partition}@{kind.offset}
                  </span>
                )}
                <span>last {instant(kind.lastAt)}</span>
              </p>
            </div>
          </header>
          {kind.stack !== undefined && <Stack text={kind.stack} />}
        </article>
      ))}
    </div>
  )
}
