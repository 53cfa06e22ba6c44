import type { MessagePort } from 'node:worker_threads'
import { receiveError, sendError } from '../../../errors/sent-error.ts'
import { received } from './received.ts'
import type { Answer, Question, Report } from './worker-protocol.ts'

/** Longest time between two looks for an answer, ms. */
const patience = 10

/** Asks the owner and waits, as for a function's result: for what is rare, and known to the owner only. */
export class Asker {
  private readonly port: MessagePort
  private readonly answers: MessagePort
  private readonly answered: Int32Array

  constructor(port: MessagePort, answers: MessagePort, answered: SharedArrayBuffer) {
    this.port = port
    this.answers = answers
    this.answered = new Int32Array(answered)
  }

  /** @throws what the owner threw */
  ask(question: Question): unknown {
    this.port.postMessage({ type: 'ask', question } satisfies Report)
    const answer = this.answer()
    if ('error' in answer) throw receiveError(answer.error)
    return answer.value
  }

  private answer(): Answer {
    for (;;) {
      const seen = Atomics.load(this.answered, 0)
      const answer = received<Answer>(this.answers)
      if (answer !== undefined) return answer
      // Waking is no proof that the answer can be received already: so it is looked for again.
      Atomics.wait(this.answered, 0, seen, patience)
    }
  }
}

/** The owner's side. */
export function give(answers: MessagePort, answered: SharedArrayBuffer, answer: Answer): void {
  const count = new Int32Array(answered)
  answers.postMessage(answer)
  Atomics.add(count, 0, 1)
  Atomics.notify(count, 0)
}

/** What to give for a call: its value, or what it threw. */
export function answerOf(ask: () => unknown): Answer {
  try {
    return { value: ask() }
  } catch (error) {
    return { error: sendError(error) }
  }
}
