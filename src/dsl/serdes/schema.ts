import { DhaaraError } from '../../errors/index.ts'
import type { StandardSchema } from './types.ts'

interface Issue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

const mostIssues = 10

/** Gives the schema if it is one. @throws DhaaraError DHAARA_OPTION */
export function checkedSchema<T>(schema: StandardSchema<T> | undefined): StandardSchema<T> | undefined {
  if (schema === undefined || typeof schema?.['~standard']?.validate === 'function') return schema
  throw new DhaaraError(
    'DHAARA_OPTION',
    'A serde was given a schema without ~standard.validate; give a Standard Schema (zod, valibot, arktype)',
  )
}

/**
 * What the schema makes of a value.
 *
 * @throws DhaaraError DHAARA_SCHEMA listing what is wrong and where; DHAARA_OPTION if it validates asynchronously
 */
export function validate<T>(schema: StandardSchema<T>, value: unknown, topic: string): T {
  const result = schema['~standard'].validate(value) as
    | { readonly value?: T; readonly issues?: readonly Issue[] }
    | Promise<unknown>
  if (result instanceof Promise) {
    result.catch(() => undefined)
    throw new DhaaraError(
      'DHAARA_OPTION',
      `The schema of ${topic} validates asynchronously; give one without async steps, and do those with mapAsync`,
    )
  }
  if (result.issues === undefined) return result.value as T
  const lines = result.issues.slice(0, mostIssues).map((issue) => `  - ${place(issue)}${issue.message}`)
  if (result.issues.length > mostIssues) lines.push(`  - and ${result.issues.length - mostIssues} more`)
  throw new DhaaraError('DHAARA_SCHEMA', `A value of ${topic} is not what its schema wants:\n${lines.join('\n')}`, {
    cause: result.issues,
  })
}

/** `items[0].price: ` */
function place({ path }: Issue): string {
  if (path === undefined || path.length === 0) return ''
  let text = ''
  for (const segment of path) {
    const key = typeof segment === 'object' ? segment.key : segment
    text += typeof key === 'number' ? `[${key}]` : text === '' ? String(key) : `.${String(key)}`
  }
  return `${text}: `
}
