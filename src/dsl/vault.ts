import { DhaaraError } from '../errors/index.ts'

/**
 * What an opaque public object (windows, watermarks, aggregators, store handles) stands for, kept beside it: nothing of
 * it shows on the object, and an object of another make is told from ours.
 */
export class Vault<C> {
  private readonly contents = new WeakMap<object, C>()
  private readonly expected: string

  /** @param expected ends the sentence "expected …, …" of the error that `open` throws */
  constructor(expected: string) {
    this.expected = expected
  }

  /** Puts `content` behind `shell`, freezes the shell and gives it back. */
  put<S extends object>(shell: S, content: C): S {
    this.contents.set(shell, content)
    return Object.freeze(shell)
  }

  has(shell: unknown): boolean {
    return typeof shell === 'object' && shell !== null && this.contents.has(shell)
  }

  /** @throws DhaaraError DHAARA_OPTION if `shell` was not made by this package */
  open(shell: unknown): C {
    const content = typeof shell === 'object' && shell !== null ? this.contents.get(shell) : undefined
    if (content === undefined) {
      throw new DhaaraError('DHAARA_OPTION', `Found ${show(shell)}; expected ${this.expected}`)
    }
    return content
  }
}

/** A value as an error message shows it: short, and never a whole object. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  if (typeof value === 'function') return value.name === '' ? 'a function' : `the function ${value.name}`
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'object' && value !== null && 'noGrace' in value) return 'windows without a grace'
  if (typeof value === 'object' && value !== null) return `an object of ${value.constructor?.name ?? 'no class'}`
  return typeof value === 'bigint' ? `${value}n` : String(value)
}
