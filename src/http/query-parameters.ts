import type { FastifyRequest } from 'fastify'
import type { Parameter } from './route.ts'

const numeral = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i
const readers: Readonly<Record<string, (text: string) => unknown>> = {
  integer: (text) => (numeral.test(text) ? Number(text) : text),
  boolean: (text) => (text === 'true' ? true : text === 'false' ? false : text),
}

/**
 * Reads the numbers and booleans of a query, which are texts in a URL, before it is held to its schema; what is none stays a
 * text, and is refused. Bodies have types of their own, and no text in them is taken for a number.
 */
export function readParameters(query: Readonly<Record<string, Parameter>>): {
  preValidation?: (request: FastifyRequest, reply: unknown, done: () => void) => void
} {
  const read = Object.entries(query).flatMap(([name, { schema }]) => {
    const valueOf = readers[schema['type'] as string]
    return valueOf === undefined ? [] : [{ name, valueOf }]
  })
  if (read.length === 0) return {}
  return {
    preValidation: (request, _, done) => {
      const given = request.query as Record<string, unknown>
      for (const { name, valueOf } of read) {
        const text = given[name]
        if (typeof text === 'string') given[name] = valueOf(text)
      }
      done()
    },
  }
}
