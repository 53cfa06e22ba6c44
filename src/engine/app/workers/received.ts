import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'

/**
 * The next message of a port; undefined: there is none. A thread that is being terminated may still run for a moment, and
 * then receives messages without anything in them.
 */
export function received<M extends object>(port: MessagePort): M | undefined {
  return (receiveMessageOnPort(port) as { readonly message: M | undefined } | undefined)?.message
}
