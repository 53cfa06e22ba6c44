import type { Session } from 'node:inspector'
import { isMainThread } from 'node:worker_threads'
import { DhaaraError } from '../../../errors/index.ts'
import type { SourceRecord } from '../../runtime/record.ts'

/** What a thread that does not come back is doing, as far as it can be told. */
export interface StuckAt {
  /** Id of the step. */
  readonly step?: number
  /** The record that came in with it. */
  readonly source?: SourceRecord
  /** Function, file and line. */
  readonly code?: string
}

interface Frame {
  readonly callFrameId: string
  readonly functionName: string
  readonly location: { readonly scriptId: string; readonly lineNumber: number }
}

/** Names of functions in generated code (generate.ts). */
const generated = /^(in|out|late|s)\d+t?$/
const inputLoop = /^in\d+t?$/
/** What runs when time moves: the record at hand is none of its doing. */
const movesTime = new Set(['fire', 'advance'])

/**
 * Halts a thread of this process by the debugger, which gets into loops that nothing else gets into, and reads step and record
 * off the generated code's frames: nothing has to be written down while records are processed. The thread is of no use after
 * that; the caller ends it. Nothing is found in a thread that waits in the operating system, that runs the interpreter, or
 * where the app itself is not on the main thread.
 */
export async function stuckAt(threadId: number, patience = 10_000): Promise<StuckAt> {
  const inspector = isMainThread ? process.getBuiltinModule?.('node:inspector') : undefined
  if (inspector === undefined) return {}
  const session = new inspector.Session()
  const timer = Promise.withResolvers<StuckAt>()
  const timeout = setTimeout(() => timer.resolve({}), patience)
  try {
    session.connect()
    return await Promise.race([halted(session, threadId), timer.promise])
  } catch {
    return {}
  } finally {
    clearTimeout(timeout)
    session.disconnect()
  }
}

async function halted(session: Session, threadId: number): Promise<StuckAt> {
  const attached = Promise.withResolvers<string>()
  const paused = Promise.withResolvers<readonly Frame[]>()
  const replies = new Map<number, (result: unknown) => void>()
  const urls = new Map<string, string>()
  session.on('NodeWorker.attachedToWorker', ({ params }) => {
    // its own numbers are in the order of attaching; a thread's number is in the title alone: '[worker 3] dhaara-2'
    if (/worker (\d+)/i.exec(params.workerInfo.title)?.[1] === String(threadId)) attached.resolve(params.sessionId)
  })
  session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
    const { id, result, method, params: told } = JSON.parse(params.message)
    if (id !== undefined) replies.get(id)?.(result)
    else if (method === 'Debugger.paused') paused.resolve(told.callFrames)
    else if (method === 'Debugger.scriptParsed') urls.set(told.scriptId, told.url)
  })
  session.post('NodeWorker.enable', { waitForDebuggerOnStart: false })
  const sessionId = await attached.promise
  let last = 0
  const ask = (method: string, params: object = {}): Promise<unknown> =>
    new Promise((resolve) => {
      const id = ++last
      replies.set(id, resolve)
      session.post('NodeWorker.sendMessageToWorker', { sessionId, message: JSON.stringify({ id, method, params }) })
    })
  await ask('Debugger.enable')
  void ask('Debugger.pause')
  const frames = await paused.promise
  const evaluate = async ({ callFrameId }: Frame, expression: string): Promise<unknown> => {
    const found = await ask('Debugger.evaluateOnCallFrame', { callFrameId, expression, returnByValue: true })
    return (found as { result?: { value?: unknown } }).result?.value
  }
  try {
    return await read(frames, (frame) => urls.get(frame.location.scriptId) ?? '', evaluate)
  } finally {
    // a thread that is halted cannot be ended
    await ask('Debugger.disable')
  }
}

async function read(
  frames: readonly Frame[],
  urlOf: (frame: Frame) => string,
  evaluate: (frame: Frame, expression: string) => Promise<unknown>,
): Promise<StuckAt> {
  const isGenerated = (frame: Frame, names: RegExp) =>
    urlOf(frame).startsWith('dhaara:') && names.test(frame.functionName)
  const innermost = frames.find((frame) => isGenerated(frame, generated))
  const step = innermost === undefined ? undefined : await evaluate(innermost, 'at')
  const input = frames.findIndex((frame) => isGenerated(frame, inputLoop))
  const timed = frames.slice(0, Math.max(0, input)).some(({ functionName }) => movesTime.has(functionName))
  // the loop tells the record at hand only to those who ask for it
  const place = 'rec.batch = b, rec.i = i, rec.source && { ...rec.source }'
  const source = input < 0 || timed ? undefined : await evaluate(frames[input] as Frame, place)
  const code = frames.find((frame) => urlOf(frame).startsWith('file:'))
  return {
    ...(typeof step === 'number' && { step }),
    ...(typeof source === 'object' && source !== null && { source: source as SourceRecord }),
    ...(code && { code: `${code.functionName || '(anonymous)'} (${urlOf(code)}:${code.location.lineNumber + 1})` }),
  }
}

/** @param step its name */
export function stuckError(
  worker: number,
  ms: number,
  { source, code, task }: StuckAt & { readonly task?: string },
  step: string | undefined,
): DhaaraError {
  const what = step === undefined ? 'what it does' : `step '${step}'`
  const where = [
    ...(task === undefined ? [] : [`task ${task}`]),
    ...(source === undefined ? [] : [`at ${source.topic}[${source.partition}] offset ${source.offset}`]),
    ...(code === undefined ? [] : [`in ${code}`]),
  ].join(', ')
  const cure = 'Look for a loop that does not end; give a greater stuckAfter where it may take so long'
  return new DhaaraError(
    'DHAARA_STEP_STUCK',
    `worker ${worker} has not come back from ${what} for ${(ms / 1000).toFixed(1)} s${where === '' ? '' : ` (${where})`}. ${cure}`,
    step === undefined ? {} : { step },
  )
}
