import type { FastifyReply, FastifyRequest } from 'fastify'

/** JSON Schema, as OpenAPI 3.1 has it. */
export type Schema = Readonly<Record<string, unknown>>

/** What a request may say behind the question mark. */
export interface Parameter {
  /** What is held to be right: of texts, whole numbers and booleans. */
  readonly schema: Schema
  /** What the text means, where a schema of texts does not tell. */
  readonly means?: Schema
  /** The text is JSON, of `means`. */
  readonly json?: true
  readonly description?: string
  readonly required?: true
}

export interface Asked {
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, unknown>>
  readonly body: unknown
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/** A route: what it takes and gives is checked by its schemas, and documented from them. */
export interface Route {
  readonly method: 'GET' | 'POST'
  /** With parameters as `:name`. */
  readonly url: string
  readonly id: string
  readonly tag: string
  readonly summary: string
  readonly params?: Readonly<Record<string, Schema>>
  readonly query?: Readonly<Record<string, Parameter>>
  readonly body?: Schema
  /** By media type; what is sent with 200. */
  readonly gives: Readonly<Record<string, Schema>>
  /** Statuses besides 200, 400 and 500. */
  readonly refuses?: readonly number[]
  /** Asks for no token. */
  readonly open?: true
  readonly answer: (asked: Asked) => unknown
}

export const object = (properties: Readonly<Record<string, Schema>>, required = Object.keys(properties)): Schema => ({
  type: 'object',
  properties,
  required,
})
/** An object that may have nothing else. */
export const closed = (schema: Schema): Schema => ({ ...schema, additionalProperties: false })
export const list = (items: Schema): Schema => ({ type: 'array', items })
export const text: Schema = { type: 'string' }
export const integer: Schema = { type: 'integer' }
export const number: Schema = { type: 'number' }
export const anything: Schema = {}
/** What a media type holds is not for JSON Schema to say. */
export const eventStream: Schema = { description: 'server-sent events' }
export const oneOf = (...values: readonly string[]): Schema => ({ type: 'string', enum: values })
