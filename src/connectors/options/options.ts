/**
 * A connector's options, declared once: what is checked, filled in, documented and shown by `dhaara connectors` comes from here.
 *
 * @example
 * const options = declare({ path: text('The file.').required(), follow: flag('Go on as it grows.', false) })
 * type Options = OptionsOf<typeof options>
 * const { path, follow } = options.read('jsonLines', given)
 */
import { toMs, type Duration } from '../../dsl/time/index.ts'
import { DhaaraError } from '../../errors/index.ts'

/** One option. T: as it is given; R: as it is used. */
export interface Option<T, R = T, Q extends 'required' | 'default' | 'optional' = 'optional'> {
  readonly need: Q
  /** For people: what may be given. */
  readonly type: string
  readonly about: string
  /** For people; undefined: none. */
  readonly shown: string | undefined
  /** @returns what it means, or undefined if it is not acceptable */
  parse(value: unknown): R | undefined
  readonly otherwise: R | undefined
  required(): Option<T, R, 'required'>
  /** Carries T for the compiler alone. */
  readonly given?: T
}

type AnyOption = Option<any, any, 'required' | 'default' | 'optional'>
type Declared = Readonly<Record<string, AnyOption>>
type Given<O> = O extends Option<infer T, any, any> ? T : never
type Used<O> = O extends Option<any, infer R, any> ? R : never
type Needed<D extends Declared> = { [N in keyof D]: D[N]['need'] extends 'required' ? N : never }[keyof D]
type Filled<D extends Declared> = { [N in keyof D]: D[N]['need'] extends 'optional' ? never : N }[keyof D]

/** What a user gives. */
export type GivenOptions<D extends Declared> = { readonly [N in Needed<D>]: Given<D[N]> } & {
  readonly [N in Exclude<keyof D, Needed<D>>]?: Given<D[N]> | undefined
}
/** What a connector gets. */
export type UsedOptions<D extends Declared> = { readonly [N in Filled<D>]: Used<D[N]> } & {
  readonly [N in Exclude<keyof D, Filled<D>>]: Used<D[N]> | undefined
}

export interface OptionRow {
  readonly name: string
  readonly type: string
  readonly need: 'required' | 'default' | 'optional'
  readonly shown: string | undefined
  readonly about: string
}

export interface Declaration<D extends Declared> {
  /** Checks what was given, and fills in the rest. @throws DhaaraError DHAARA_OPTION */
  read(connector: string, given: GivenOptions<D>): UsedOptions<D>
  readonly rows: readonly OptionRow[]
  readonly declared: D
}

export type OptionsOf<D> = D extends Declaration<infer S> ? GivenOptions<S> : never

export function declare<const D extends Declared>(declared: D): Declaration<D> {
  const names = Object.keys(declared)
  return {
    declared,
    rows: Object.entries(declared).map(([name, { type, need, shown, about }]) => ({ name, type, need, shown, about })),
    read(connector, given) {
      if (typeof given !== 'object' || given === null)
        throw bad(connector, `found ${show(given)}; expected an object of options`)
      for (const name of Object.keys(given))
        if (!names.includes(name)) throw bad(connector, `found the option ${name}; it has ${names.join(', ')}`)
      const used: Record<string, unknown> = {}
      for (const [name, option] of Object.entries(declared)) {
        const value = (given as Record<string, unknown>)[name]
        if (value === undefined) {
          if (option.need === 'required')
            throw bad(connector, `found no ${name}; expected ${option.type}. ${option.about}`)
          used[name] = option.otherwise
          continue
        }
        used[name] = option.parse(value)
        if (used[name] === undefined) throw bad(connector, `${name}: found ${show(value)}; expected ${option.type}`)
      }
      return used as UsedOptions<D>
    },
  }
}

const bad = (connector: string, message: string): DhaaraError =>
  new DhaaraError('DHAARA_OPTION', `${connector}: ${message}`)

function show(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  return (JSON.stringify(value) ?? String(value)).slice(0, 60)
}

function option<T, R>(
  type: string,
  about: string,
  parse: (value: unknown) => R | undefined,
  otherwise?: T,
): Option<T, R, any> {
  const need = otherwise === undefined ? 'optional' : 'default'
  const shown =
    otherwise === undefined ? undefined : typeof otherwise === 'function' ? 'a function' : JSON.stringify(otherwise)
  const filled = otherwise === undefined ? undefined : (parse(otherwise) ?? (otherwise as unknown as R))
  const made = { need, type, about, shown, parse, otherwise: filled } as const
  return { ...made, required: () => ({ ...made, need: 'required', required: undefined as never }) }
}

type Made<T, R, D> = Option<T, R, [D] extends [undefined] ? 'optional' : 'default'>

export const text = <D extends string | undefined = undefined>(about: string, otherwise?: D): Made<string, string, D> =>
  option<string, string>('text', about, (v) => (typeof v === 'string' && v !== '' ? v : undefined), otherwise)

/** One text, or several. */
export const texts = <D extends readonly string[] | undefined = undefined>(
  about: string,
  otherwise?: D,
): Made<string | readonly string[], readonly string[], D> =>
  option<string | readonly string[], readonly string[]>(
    'text, or a list of texts',
    about,
    (v) => {
      const all = typeof v === 'string' ? [v] : v
      return Array.isArray(all) && all.length > 0 && all.every((one) => typeof one === 'string' && one !== '')
        ? all
        : undefined
    },
    otherwise,
  )

export const flag = <D extends boolean | undefined = undefined>(
  about: string,
  otherwise?: D,
): Made<boolean, boolean, D> =>
  option<boolean, boolean>('true or false', about, (v) => (typeof v === 'boolean' ? v : undefined), otherwise)

export const count = <D extends number | undefined = undefined>(
  about: string,
  otherwise?: D,
  least = 1,
): Made<number, number, D> =>
  option<number, number>(
    `a whole number of at least ${least}`,
    about,
    (v) => (Number.isSafeInteger(v) && (v as number) >= least ? (v as number) : undefined),
    otherwise,
  )

/** Used as milliseconds. */
export const period = <D extends Duration | undefined = undefined>(
  about: string,
  otherwise?: D,
): Made<Duration, number, D> =>
  option<Duration, number>(
    "a duration: '500ms', '10s', or milliseconds",
    about,
    (v) => {
      try {
        return toMs(v as Duration)
      } catch {
        return undefined
      }
    },
    otherwise,
  )

export const oneOf = <const V extends string, D extends V | undefined = undefined>(
  about: string,
  values: readonly V[],
  otherwise?: D,
): Made<V, V, D> =>
  option<V, V>(
    values.map((value) => `'${value}'`).join(' or '),
    about,
    (v) => (values.includes(v as V) ? (v as V) : undefined),
    otherwise,
  )

/** Anything that passes `is`. */
export const some = <T>(type: string, about: string, is: (value: unknown) => boolean): Option<T, T, 'optional'> =>
  option<T, T>(type, about, (v) => (is(v) ? (v as T) : undefined))

export const fn = <F extends (...args: never[]) => unknown>(type: string, about: string): Option<F, F, 'optional'> =>
  some<F>(type, about, (v) => typeof v === 'function')

export const object = <T extends object>(type: string, about: string): Option<T, T, 'optional'> =>
  some<T>(type, about, (v) => typeof v === 'object' && v !== null)
