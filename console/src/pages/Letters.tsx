import { useState } from 'preact/hooks'
import { postJson, Problem } from '../lib/api.ts'
import { instant } from '../lib/format.ts'
import { useJson } from '../lib/use-json.ts'
import { brief, Json } from '../ui/Json.tsx'
import { Stack } from '../ui/Stack.tsx'

interface Letter {
  readonly offset: number
  readonly at: number
  readonly code: string
  readonly step: string
  readonly message: string
  readonly stack: string
  readonly topic: string
  readonly partition: number
  readonly position: number
  readonly key: unknown
  readonly value: unknown
  readonly state: 'open' | 'replayed' | 'dropped'
}

interface LetterPage {
  readonly topic: string
  readonly admin: boolean
  readonly letters: readonly Letter[]
  /** Of the page behind it; absent: there is none. */
  readonly before?: number
}

/** Letters a page, and characters of a value: a page is asked for every two seconds. */
const pageLength = 100
const mostValue = 4000

const nothing = {
  open: 'No letter is open.',
  replayed: 'None was replayed.',
  dropped: 'None was dropped.',
  all: 'Nothing was put aside.',
} as const
const states = ['open', 'replayed', 'dropped', 'all'] as const

/** Records that were put aside: why, and what to do with them. */
export function Letters({ chosen }: { chosen: string | undefined }) {
  const [state, setState] = useState<(typeof states)[number]>('open')
  const [again, setAgain] = useState(0)
  const [said, setSaid] = useState<string>()
  const [befores, setBefores] = useState<readonly number[]>([])
  const before = befores.at(-1)
  const where = before === undefined ? '' : `&before=${before}`
  const path = `api/dead-letters?state=${state}&limit=${pageLength}&most=${mostValue}${where}#${again}`
  const { value, problem } = useJson<LetterPage>(path, 2000)
  const letters = value?.letters ?? []
  const [open, setOpen] = useState<number | undefined>(chosen === undefined ? undefined : Number(chosen))
  const letter = letters.find(({ offset }) => offset === open) ?? letters[0]
  const act = async (what: 'replay' | 'drop', body: object): Promise<void> => {
    try {
      const { done, refused } = await postJson<{ done: number; refused: readonly { why: string }[] }>(
        `api/dead-letters/${what}`,
        body,
      )
      setSaid(
        `${done} ${what === 'replay' ? 'replayed' : 'dropped'}${refused[0] === undefined ? '' : `; ${refused[0].why}`}`,
      )
      setAgain(again + 1)
    } catch (error) {
      setSaid(error instanceof Problem ? error.message : String(error))
    }
  }
  return (
    <div class="split letters">
      <section class="opened">
        <header class="query">
          <h2>{value?.topic ?? 'Dead letters'}</h2>
          <span class="switches">
            {states.map((name) => (
              <button
                key={name}
                type="button"
                class="chip"
                aria-pressed={state === name}
                onClick={() => {
                  setState(name)
                  setBefores([])
                }}
              >
                {name}
              </button>
            ))}
          </span>
        </header>
        {problem !== undefined && <p class="problem">{problem}</p>}
        {said !== undefined && <p class="said">{said}</p>}
        {letters.length === 0 ? (
          <p class="empty">{value === undefined && problem === undefined ? 'Asking' : nothing[state]}</p>
        ) : (
          <div class="scroll">
            <table class="rows">
              <thead>
                <tr>
                  <th>when</th>
                  <th>step</th>
                  <th>why</th>
                  <th>from</th>
                </tr>
              </thead>
              <tbody>
                {letters.map((one) => (
                  <tr
                    key={one.offset}
                    class={one.offset === letter?.offset ? 'opened-row' : ''}
                    tabIndex={0}
                    onClick={() => setOpen(one.offset)}
                    onKeyDown={(event) => {
                      if (event.key === 'Enter') setOpen(one.offset)
                    }}
                  >
                    <th>{instant(one.at)}</th>
                    <td>{one.step}</td>
                    <td class="long">{one.message}</td>
                    <td>
                      {one.topic}/{one.partition}@{one.position}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        {(befores.length > 0 || value?.before !== undefined) && (
          <footer class="pager">
            <button
              type="button"
              class="chip"
              disabled={befores.length === 0}
              onClick={() => setBefores(befores.slice(0, -1))}
            >
              newer
            </button>
            <button
              type="button"
              class="chip"
              disabled={value?.before === undefined}
              onClick={() => setBefores([...befores, value?.before as number])}
            >
              older
            </button>
            <span>{`${pageLength} a page, the newest first`}</span>
          </footer>
        )}
      </section>
      {letter !== undefined && (
        <aside class="panel wide" aria-label="Dead letter">
          <header>
            <p class="eyebrow">{letter.code}</p>
            <h2>{letter.message}</h2>
          </header>
          {value?.admin === true && letter.state === 'open' && (
            <p class="actions">
              <button type="button" class="act" onClick={() => void act('replay', { offsets: [letter.offset] })}>
                Replay
              </button>
              <button type="button" class="chip" onClick={() => void act('drop', { offsets: [letter.offset] })}>
                Drop
              </button>
              <button
                type="button"
                class="chip"
                onClick={() => void act('replay', { step: letter.step, code: letter.code })}
              >
                Replay all of its kind
              </button>
            </p>
          )}
          <section>
            <h3>Stack</h3>
            <Stack text={letter.stack} />
          </section>
          <section>
            <h3>Record</h3>
            <Json value={{ key: letter.key, value: letter.value }} />
          </section>
          <section>
            <h3>Key</h3>
            <p class="mono">{brief(letter.key)}</p>
          </section>
        </aside>
      )}
    </div>
  )
}
