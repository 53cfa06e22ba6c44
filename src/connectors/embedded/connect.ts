import { setTimeout } from 'node:timers/promises'
import { resolve } from 'node:path'
import { DhaaraError } from '../../errors/index.ts'
import type { EmbeddedLease } from '../broker/broker.ts'
import { lease } from '../broker/broker.ts'
import { FrameBuilder } from '../broker/frame-builder.ts'
import { embeddedBroker, type EmbeddedBrokerOptions } from './broker.ts'
import { readOwner } from './directory.ts'
import { GatewayClient } from './gateway-client.ts'
import { produceParams, type WireRecord } from './produce.ts'
import type { ConsumeParams, TopicReport, WireBatch } from './requests.ts'
import { isAsyncIterable } from './gateway.ts'

/** Milliseconds to wait for an owner that holds the directory and does not listen yet. */
const patience = 2000

/** A directory of topics, through its owner or opened by this process: both answer alike. */
export interface DirectoryClient extends AsyncDisposable {
  /** True if another process holds the directory. */
  readonly remote: boolean
  topics(): Promise<TopicReport[]>
  /** All records in one commit. @throws DhaaraError DHAARA_RECORD_TOO_LARGE */
  produce(topic: string, records: readonly WireRecord[]): Promise<void>
  /** Committed records, a partition's in order. @throws DhaaraError DHAARA_TOPIC_UNKNOWN */
  consume(params: ConsumeParams, signal?: AbortSignal): AsyncIterable<WireBatch>
  /** A request that an app answers. @throws DhaaraError DHAARA_REQUEST_UNKNOWN if none runs that does */
  call(name: string, params?: unknown): Promise<unknown>
  stream(name: string, params?: unknown, signal?: AbortSignal): AsyncIterable<unknown>
  close(): Promise<void>
}

/**
 * Goes through the socket of who holds the directory, or opens it if nobody does.
 *
 * @throws DhaaraError DHAARA_STATE_LOCKED if its holder does not answer, and what opening a directory throws
 */
export async function connectDirectory(
  dir: string,
  options: Omit<EmbeddedBrokerOptions, 'dir'> = {},
): Promise<DirectoryClient> {
  const path = resolve(dir)
  const until = Date.now() + patience
  const again = (): Promise<DirectoryClient> => connectDirectory(path, options)
  for (;;) {
    const client = await connectOwner(path, again)
    if (client !== undefined) return client
    try {
      const broker = embeddedBroker({ ...options, dir: path })
      return local(await broker[lease]())
    } catch (error) {
      const locked = error instanceof DhaaraError && error.code === 'DHAARA_STATE_LOCKED'
      if (!locked || Date.now() >= until) throw error
      await setTimeout(50)
    }
  }
}

type Again = () => Promise<DirectoryClient>

async function connectOwner(path: string, again: Again): Promise<DirectoryClient | undefined> {
  const socket = readOwner(path)?.socket
  if (socket === undefined) return undefined
  try {
    return remote(await GatewayClient.connect(socket), again)
  } catch {
    // A process that has taken a dead owner's id, or an owner that is just closing.
    return undefined
  }
}

/** The owner may end at any time. What only reads is then asked of the next one; whoever writes has to decide for itself. */
function remote(client: GatewayClient, again: Again): DirectoryClient {
  const made = make(
    true,
    (name, params) => client.call(name, params),
    (name, params, signal) => client.stream(name, params, signal),
    () => client.close(),
  )
  return {
    ...made,
    async topics() {
      try {
        return await made.topics()
      } catch (error) {
        if (!isGone(error)) throw error
        await using next = await again()
        return await next.topics()
      }
    },
    async *consume(params, signal) {
      let begun = false
      try {
        for await (const batch of made.consume(params, signal)) {
          begun = true
          yield batch
        }
      } catch (error) {
        if (begun || !isGone(error)) throw error
        await using next = await again()
        yield* next.consume(params, signal)
      }
    },
  }
}

const isGone = (error: unknown): boolean => error instanceof DhaaraError && error.code === 'DHAARA_OWNER_GONE'

function local(owner: EmbeddedLease): DirectoryClient {
  const never = new AbortController().signal
  return make(
    false,
    async (name, params) => owner.request(name, params, never),
    async function* (name, params, signal = never) {
      const result = owner.request(name, params, signal)
      if (isAsyncIterable(result)) yield* result
    },
    () => owner.release(),
  )
}

function make(
  isRemote: boolean,
  call: (name: string, params?: unknown) => Promise<unknown>,
  stream: (name: string, params?: unknown, signal?: AbortSignal) => AsyncIterable<unknown>,
  close: () => Promise<void>,
): DirectoryClient {
  const builder = new FrameBuilder()
  return {
    remote: isRemote,
    topics: () => call('topics') as Promise<TopicReport[]>,
    async produce(topic, records) {
      await call('produce', isRemote ? produceParams(topic, records, builder) : { topic, records })
    },
    consume: (params, signal) => stream('consume', params, signal) as AsyncIterable<WireBatch>,
    call,
    stream,
    close,
    [Symbol.asyncDispose]: close,
  }
}
