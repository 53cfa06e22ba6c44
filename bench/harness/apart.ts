import { type ChildProcess, fork, type ForkOptions } from 'node:child_process'
import { once } from 'node:events'

/** A process of its own that answers questions, one at a time: the other half is `answering`. */
export interface Apart<Questions extends object> {
  /** @throws Error: the process has ended, or the question failed there */
  ask<Q extends keyof Questions & string>(question: Q): Promise<Questions[Q]>
  /** The process ends by itself when nobody can ask any more. */
  end(): Promise<void>
}

/** What the process says to a question, and first of all when it is ready. */
type Said = { readonly value: unknown } | { readonly failed: string }

/**
 * Runs a script in a process of its own.
 *
 * @param options of the process, besides where its output goes: standard output belongs to the report
 * @returns the first thing that it says
 * @throws Error: it has ended without an answer
 */
export function answerOf<Answer>(script: string, args: readonly string[], options: ForkOptions = {}): Promise<Answer> {
  return listenTo(script, forked(script, args, options)).next() as Promise<Answer>
}

/**
 * Starts a process; resolves when it is ready.
 * @param job its only argument, as JSON
 */
export async function startApart<Questions extends object>(
  script: string,
  job: object,
  env: Readonly<Record<string, string>> = {},
): Promise<Apart<Questions>> {
  const child = forked(script, [JSON.stringify(job)], { env: { ...process.env, ...env } })
  const { next, gone } = listenTo(script, child)
  const answer = async (): Promise<unknown> => {
    const said = (await next()) as Said
    if ('failed' in said) throw new Error(said.failed)
    return said.value
  }
  await answer()
  return {
    async ask<Q extends keyof Questions & string>(question: Q): Promise<Questions[Q]> {
      const found = answer()
      child.send(question)
      return (await found) as Questions[Q]
    },
    async end() {
      if (child.connected) child.disconnect()
      await gone.catch(() => {})
    },
  }
}

const forked = (script: string, args: readonly string[], options: ForkOptions): ChildProcess =>
  fork(script, args, { ...options, stdio: ['ignore', process.stderr, 'inherit', 'ipc'] })

function listenTo(script: string, child: ChildProcess) {
  const gone = once(child, 'exit').then(([code]): never => {
    throw new Error(`${script} has ended without an answer (exit code ${code})`)
  })
  gone.catch(() => {})
  const next = async (): Promise<unknown> => {
    const [said] = (await Promise.race([once(child, 'message'), gone])) as [unknown]
    return said
  }
  return { gone, next }
}

/** In that process: it is ready, and answers from now on until nobody can ask any more. */
export function answering<Questions extends object>(
  answers: {
    readonly [Q in keyof Questions]: () => Questions[Q] | Promise<Questions[Q]>
  },
): void {
  const say = (said: Said): void => void process.send?.(said)
  process.on('message', (question: keyof Questions) => {
    Promise.resolve()
      .then(() => answers[question]())
      .then(
        (value) => say({ value }),
        (error: unknown) => say({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
      )
  })
  process.once('disconnect', () => process.exit())
  say({ value: 'ready' })
}
