import type { MessagePort } from 'node:worker_threads'
import { DhaaraError } from '../../../errors/index.ts'
import { receiveError, sendError } from '../../../errors/sent-error.ts'
import type { Assigned, RemoteLog, RemoteMember, RemoteWriter, SentFrame } from '../remote.ts'
import { type Opened, type Reply, type Request, type Target, theLog } from './messages.ts'
import { watchPulse } from './pulse.ts'
import { ServedReader } from './served-reader.ts'

type Callable = Readonly<Record<string, (...args: never[]) => unknown>>

/** Carries out what a thread asks of a remote log that lives in this thread. */
export class LogServer {
  readonly #log: RemoteLog
  readonly #port: MessagePort
  readonly #targets = new Map<Target, Callable>()
  readonly #readers = new Set<ServedReader>()
  readonly #members = new Set<RemoteMember>()
  readonly #asked = new Map<number, PromiseWithResolvers<unknown>>()
  readonly #stuck: (ms: number) => void
  #watching: Disposable | undefined
  #next = 1

  /** @param stuck called when the thread that uses the log has not turned its event loop for so long */
  constructor(log: RemoteLog, port: MessagePort, stuck: (ms: number) => void) {
    this.#log = log
    this.#port = port
    this.#stuck = stuck
    this.#targets.set(theLog, log as unknown as Callable)
    port.on('message', (request: Request) => this.#hear(request))
    port.once('close', () => this.#close())
  }

  #hear(request: Request): void {
    if (request.type === 'call') this.#call(request)
    else if (request.type === 'open') this.#open(request.target, request.what)
    else if (request.type === 'answer') this.#answered(request)
    else if (request.type === 'join') new LogServer(this.#log, request.port, this.#stuck)
    else this.#watch(request.pulse, request.patience)
  }

  #call({ id, target, method, args }: Extract<Request, { type: 'call' }>): void {
    const answer = (reply: Pick<Extract<Reply, { type: 'answer' }>, 'value' | 'error'>): void => {
      if (id !== undefined) this.#post({ type: 'answer', id, ...reply })
    }
    let outcome: unknown
    try {
      const object = this.#targets.get(target)
      // in the order of the requests: so it must be called now
      outcome = object?.[method]?.(...(args as never[]))
    } catch (error) {
      answer({ error: sendError(error) })
      return
    }
    Promise.resolve(outcome).then(
      (value) => {
        // what it lent goes back
        if (method === 'sendFrame') this.#lent(id as number, value as SentFrame)
        else answer({ value })
      },
      (error) => answer({ error: sendError(error) }),
    )
  }

  #lent(id: number, value: SentFrame): void {
    this.#port.postMessage({ type: 'answer', id, value } satisfies Reply, [value.memory])
  }

  #open(target: Target, { kind, options }: Opened): void {
    if (kind === 'reader') {
      const reader = new ServedReader(this.#log, options, (news, memory) =>
        this.#port.postMessage({ type: 'read', target, news } satisfies Reply, memory),
      )
      this.#readers.add(reader)
      this.#targets.set(target, reader as unknown as Callable)
    } else if (kind === 'writer') this.#targets.set(target, writerOf(this.#log.writer(options)))
    else {
      let userData = Buffer.alloc(0)
      const member = this.#log.member({
        ...options,
        userData: () => userData,
        assign: (members) => this.#ask(target, [members]) as Promise<readonly Assigned[]>,
      })
      this.#members.add(member)
      const join = async (told: Uint8Array): Promise<unknown> => {
        userData = Buffer.from(told)
        const assignment = await member.join()
        member.rebalance.then(
          () => this.#post({ type: 'rebalance', target }),
          (error) => this.#post({ type: 'rebalance', target, error: sendError(error) }),
        )
        return { assignment: new Uint8Array(assignment), membership: member.membership }
      }
      this.#targets.set(target, {
        join,
        leave: () => member.leave(),
        retreat: () => member.retreat(),
      } as unknown as Callable)
    }
  }

  #ask(target: Target, args: readonly unknown[]): Promise<unknown> {
    const id = this.#next++
    const asked = Promise.withResolvers<unknown>()
    this.#asked.set(id, asked)
    this.#post({ type: 'ask', id, target, args })
    return asked.promise
  }

  #answered({ id, value, error }: Extract<Request, { type: 'answer' }>): void {
    const asked = this.#asked.get(id)
    this.#asked.delete(id)
    if (error === undefined) asked?.resolve(value)
    else asked?.reject(receiveError(error))
  }

  /** A thread that is stuck in somebody's function must not keep its tasks from others for ever. */
  #watch(pulse: SharedArrayBuffer, patience: number): void {
    this.#watching?.[Symbol.dispose]()
    this.#watching = watchPulse(pulse, patience, (ms) => {
      this.#stuck(ms)
      for (const member of this.#members) void member.retreat()
    })
  }

  #post(reply: Reply): void {
    this.#port.postMessage(reply)
  }

  #close(): void {
    this.#watching?.[Symbol.dispose]()
    for (const reader of this.#readers) void reader.close()
    const error = new DhaaraError('DHAARA_APP_STATE', 'The thread that used this log has ended')
    for (const asked of this.#asked.values()) asked.reject(error)
  }
}

/** What came from another thread has lost the methods of a Buffer. */
function writerOf(writer: RemoteWriter): Callable {
  return {
    init: () => writer.init(),
    open: (group: string | undefined) => writer.open(group),
    send: (topic: string, partition: number, rows: Parameters<RemoteWriter['send']>[2]) => {
      const { data } = rows
      return writer.send(topic, partition, { ...rows, data: Buffer.from(data.buffer, data.byteOffset, data.length) })
    },
    sendFrame: (topic: string, partition: number, memory: ArrayBuffer, length: number) =>
      writer.sendFrame(topic, partition, Buffer.from(memory, 0, length)),
    flush: () => writer.flush(),
    commit: (...args: Parameters<RemoteWriter['commit']>) => writer.commit(...args),
    abort: () => writer.abort(),
    close: () => writer.close(),
  } as unknown as Callable
}
