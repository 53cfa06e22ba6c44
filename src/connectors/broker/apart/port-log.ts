import type { MessagePort } from 'node:worker_threads'
import { DhaaraError } from '../../../errors/index.ts'
import { receiveError, sendError } from '../../../errors/sent-error.ts'
import type {
  MemberOptions,
  Membership,
  NewTopic,
  PositionedPartition,
  ReaderOptions,
  RemoteLog,
  RemoteMember,
  RemoteReader,
  RemoteRows,
  RemoteTopic,
  RemoteWriter,
  SentFrame,
  TopicPartition,
  WriterOptions,
} from '../remote.ts'
import { copyColumns } from './columns.ts'
import { type Opened, type Reply, type Request, type Target, theLog } from './messages.ts'
import { PortReader } from './port-reader.ts'

/**
 * A remote log that lives in another thread: there, connections are kept and heartbeats sent, whatever this thread is busy
 * with. Several threads may use one log, each through a port of its own.
 */
export class PortLog implements RemoteLog {
  readonly #port: MessagePort
  readonly #calls = new Map<number, PromiseWithResolvers<unknown>>()
  readonly #readers = new Map<Target, PortReader>()
  readonly #members = new Map<Target, PortMember>()
  #nextCall = 1
  #nextTarget = 1
  #failure: Error | undefined
  #released = false

  constructor(port: MessagePort) {
    this.#port = port
    port.on('message', (reply: Reply) => this.#hear(reply))
  }

  topics(): Promise<readonly RemoteTopic[]> {
    return this.#ask('topics')
  }

  describe(names: readonly string[]): Promise<readonly RemoteTopic[]> {
    return this.#ask('describe', names)
  }

  createTopics(topics: readonly NewTopic[]): Promise<void> {
    return this.#ask('createTopics', topics)
  }

  growTopic(name: string, partitions: number): Promise<void> {
    return this.#ask('growTopic', name, partitions)
  }

  deleteTopics(names: readonly string[]): Promise<void> {
    return this.#ask('deleteTopics', names)
  }

  configs(topic: string, defaults = false): Promise<Readonly<Record<string, string>>> {
    return this.#ask('configs', topic, defaults)
  }

  deleteRecords(before: readonly PositionedPartition[]): Promise<void> {
    return this.#ask('deleteRecords', before)
  }

  offsets(
    partitions: readonly TopicPartition[],
    at: 'earliest' | 'latest' | number,
    uncommitted = false,
  ): Promise<readonly number[]> {
    return this.#ask('offsets', partitions.map(bare), at, uncommitted)
  }

  groupOffsets(group: string, partitions: readonly TopicPartition[]): Promise<readonly (number | undefined)[]> {
    return this.#ask('groupOffsets', group, partitions.map(bare))
  }

  commitOffsets(positions: readonly PositionedPartition[], membership: Membership): Promise<void> {
    return this.#ask('commitOffsets', positions, membership)
  }

  deleteGroup(group: string): Promise<void> {
    return this.#ask('deleteGroup', group)
  }

  openTransactions(): Promise<readonly string[]> {
    return this.#ask('openTransactions')
  }

  reader({ onData, ...options }: ReaderOptions = {}): RemoteReader {
    const target = this.#open({ kind: 'reader', options })
    const reader = new PortReader(
      (method, ...args) => this.#post({ type: 'call', target, method, args }),
      (memory) =>
        this.#port.postMessage({ type: 'call', target, method: 'done', args: [memory] } satisfies Request, [memory]),
      onData,
      () => {
        this.#readers.delete(target)
        return this.#call(target, 'close', []) as Promise<void>
      },
    )
    this.#readers.set(target, reader)
    return reader
  }

  writer(options: WriterOptions = {}): RemoteWriter {
    const target = this.#open({ kind: 'writer', options })
    const call = <T>(method: string, ...args: unknown[]): Promise<T> => this.#call(target, method, args) as Promise<T>
    return {
      init: () => call('init'),
      open: (group) => this.#post({ type: 'call', target, method: 'open', args: [group] }),
      send: (topic: string, partition: number, rows: RemoteRows) => {
        const { columns, memory } = copyColumns(rows)
        return this.#call(target, 'send', [topic, partition, columns], memory) as Promise<number>
      },
      sendFrame: (topic, partition, { buffer: memory, length }) =>
        this.#call(target, 'sendFrame', [topic, partition, memory, length], [memory]) as Promise<SentFrame>,
      flush: () => call('flush'),
      commit: (positions, membership) => call('commit', positions, membership),
      abort: () => call('abort'),
      close: () => call('close'),
    }
  }

  member({ userData, assign, ...options }: MemberOptions): RemoteMember {
    const target = this.#open({ kind: 'member', options })
    const call = <T>(method: string, ...args: unknown[]): Promise<T> => this.#call(target, method, args) as Promise<T>
    const member = new PortMember(options.group, options.instance ?? null, userData, assign, call)
    this.#members.set(target, member)
    return member
  }

  async release(): Promise<void> {
    if (this.#released) return
    this.#released = true
    await this.#ask('release')
    this.#port.close()
  }

  /** For another thread, which makes a log of it. */
  share(port: MessagePort): void {
    this.#port.postMessage({ type: 'join', port } satisfies Request, [port])
  }

  /** Members leave when the event loop of this thread has not turned for so long. */
  watch(pulse: SharedArrayBuffer, patience: number): void {
    this.#post({ type: 'watch', pulse, patience })
  }

  /** The thread of the log is gone: what is asked fails with this from now on. */
  fail(error: Error): void {
    this.#failure = error
    for (const call of this.#calls.values()) call.reject(error)
    this.#calls.clear()
  }

  close(): void {
    this.#port.close()
  }

  #open(what: Opened): Target {
    const target = this.#nextTarget++
    this.#post({ type: 'open', target, what })
    return target
  }

  #ask<T>(method: string, ...args: unknown[]): Promise<T> {
    return this.#call(theLog, method, args) as Promise<T>
  }

  #call(target: Target, method: string, args: readonly unknown[], memory: ArrayBuffer[] = []): Promise<unknown> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    const id = this.#nextCall++
    const call = Promise.withResolvers<unknown>()
    this.#calls.set(id, call)
    this.#port.postMessage({ type: 'call', id, target, method, args } satisfies Request, memory)
    return call.promise
  }

  #hear(reply: Reply): void {
    if (reply.type === 'answer') {
      const call = this.#calls.get(reply.id)
      this.#calls.delete(reply.id)
      if (reply.error === undefined) call?.resolve(reply.value)
      else call?.reject(receiveError(reply.error))
    } else if (reply.type === 'read') this.#readers.get(reply.target)?.hear(reply.news)
    else if (reply.type === 'rebalance')
      this.#members.get(reply.target)?.rebalanced(reply.error && receiveError(reply.error))
    else {
      const { id, target, args } = reply
      const member = this.#members.get(target)
      Promise.resolve()
        .then(() => member?.share(args[0] as never))
        .then(
          (value) => this.#post({ type: 'answer', id, value }),
          (error) => this.#post({ type: 'answer', id, error: sendError(error) }),
        )
    }
  }

  #post(request: Request): void {
    this.#port.postMessage(request)
  }
}

class PortMember implements RemoteMember {
  membership: Membership
  readonly #userData: () => Buffer
  readonly #assign: MemberOptions['assign']
  readonly #call: <T>(method: string, ...args: unknown[]) => Promise<T>
  #rebalance = Promise.withResolvers<void>()

  constructor(
    group: string,
    instance: string | null,
    userData: () => Buffer,
    assign: MemberOptions['assign'],
    call: <T>(method: string, ...args: unknown[]) => Promise<T>,
  ) {
    this.membership = { group, generation: -1, member: '', instance }
    this.#userData = userData
    this.#assign = assign
    this.#call = call
  }

  get rebalance(): Promise<void> {
    return this.#rebalance.promise
  }

  async join(): Promise<Buffer> {
    this.#rebalance = Promise.withResolvers()
    const told = new Uint8Array(this.#userData())
    const { assignment, membership } = await this.#call<{ assignment: Uint8Array; membership: Membership }>(
      'join',
      told,
    )
    this.membership = membership
    return Buffer.from(assignment)
  }

  leave(): Promise<void> {
    return this.#call('leave')
  }

  retreat(): Promise<void> {
    return this.#call('retreat')
  }

  rebalanced(error: Error | undefined): void {
    if (error === undefined) this.#rebalance.resolve()
    else {
      this.#rebalance.promise.catch(() => {})
      this.#rebalance.reject(error)
    }
  }

  async share(members: readonly { readonly member: string; readonly userData: Uint8Array }[]) {
    const all = members.map(({ member, userData }) => ({ member, userData: Buffer.from(userData) }))
    const assigned = await this.#assign(all)
    // a Buffer may lie in memory that it shares
    return assigned.map((one) => ({ ...one, userData: new Uint8Array(one.userData) }))
  }
}

const bare = ({ topic, partition }: TopicPartition): TopicPartition => ({ topic, partition })

/** @throws DhaaraError DHAARA_INTERNAL: it is no log of another thread */
export function portLogOf(log: RemoteLog): PortLog {
  if (log instanceof PortLog) return log
  throw new DhaaraError('DHAARA_INTERNAL', 'this log cannot be shared with other threads')
}
