/**
 * The protocol of a directory's socket: messages of a length (u32, little-endian) and so many bytes of msgpack.
 *
 *     client                                     owner
 *     {id, call: 'topics', params}      ->
 *                                       <-       {id, ok: result}  or  {id, error: {code, message}}
 *     {id, call: 'consume', params}     ->
 *                                       <-       {id, item}  as many as the client has room for (at first `window`)
 *     {id, more: 1}                     ->                   room for another one
 *                                       <-       {id, end: true}  or  {id, error}
 *     {id, cancel: true}                ->                   stops either; {id, end: true} follows a stopped stream
 *
 * A client chooses its ids. Whether a call streams is the owner's to know: an async iterable does.
 */
import { Packr, Unpackr } from 'msgpackr'
import { DhaaraError, catalogue, type KnownCode } from '../../errors/index.ts'

export const window = 4
const mostBytes = 512 * 1024 * 1024

export interface Message {
  readonly id: number
  readonly call?: string
  readonly params?: unknown
  readonly more?: number
  readonly cancel?: true
  readonly ok?: unknown
  readonly item?: unknown
  readonly end?: true
  readonly error?: { readonly code: string; readonly message: string }
}

const packr = new Packr({ useRecords: false })
const unpackr = new Unpackr({ useRecords: false })

export function encodeMessage(message: Message): Buffer {
  const body = packr.pack(message)
  const bytes = Buffer.allocUnsafe(4 + body.length)
  bytes.writeUInt32LE(body.length)
  body.copy(bytes, 4)
  return bytes
}

/** Cuts a byte stream into messages. */
export class MessageReader {
  #chunks: Buffer[] = []
  #bytes = 0

  /** @throws DhaaraError DHAARA_DESERIALIZE if the other side speaks something else */
  push(chunk: Buffer, each: (message: Message) => void): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    while (this.#bytes >= 4) {
      // Whole chunks are joined only when a message is complete, so that a large one is copied once.
      const length = this.#peekLength()
      if (length > mostBytes) throw badMessage(`a message of ${length} bytes`)
      if (this.#bytes < 4 + length) return
      const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks)
      const rest = all.subarray(4 + length)
      this.#chunks = rest.length === 0 ? [] : [rest]
      this.#bytes = rest.length
      each(decode(all.subarray(4, 4 + length)))
    }
  }

  #peekLength(): number {
    const first = this.#chunks[0] as Buffer
    if (first.length >= 4) return first.readUInt32LE()
    this.#chunks = [Buffer.concat(this.#chunks)]
    return (this.#chunks[0] as Buffer).readUInt32LE()
  }
}

function decode(body: Buffer): Message {
  let message: unknown
  try {
    message = unpackr.unpack(body)
  } catch (cause) {
    throw badMessage('bytes that are no msgpack', cause)
  }
  if (typeof message === 'object' && message !== null && typeof (message as Message).id === 'number') {
    return message as Message
  }
  throw badMessage('a message without id')
}

const badMessage = (what: string, cause?: unknown): DhaaraError =>
  new DhaaraError('DHAARA_DESERIALIZE', `The other side of the socket sent ${what}; is it dhaara?`, { cause })

/** An error as it travels. */
export function wireError(error: unknown): { code: string; message: string } {
  if (error instanceof DhaaraError) return { code: error.code, message: error.message }
  return { code: 'DHAARA_INTERNAL', message: error instanceof Error ? error.message : String(error) }
}

/** The error that the other side meant. */
export function readError({ code, message }: { code: string; message: string }): DhaaraError {
  return new DhaaraError(Object.hasOwn(catalogue, code) ? (code as KnownCode) : 'DHAARA_INTERNAL', message)
}
