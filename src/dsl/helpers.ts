/** What the DSL's files share; nothing of it is exported from the package. */
export type Nullish = null | undefined
export type Row<T> = NonNullable<T>
/** `null` if T can be null: a null row is a deletion. */
export type Gone<T> = [Extract<T, Nullish>] extends [never] ? never : null
/** What key functions may return; the `readonly []` makes `[a, b]` infer as a tuple. */
export type KeyLike = {} | readonly []
/** T is the type of the `ttl` given: rows that expire are deleted. */
export type Expires<T> = [T] extends [never] ? never : null
export type Flat<T> = { readonly [P in keyof T]: T[P] } & {}
/** A literal name that is not an integer and not yet taken. */
export type NewName<N extends string, Taken> = N extends `${number}` | keyof Taken ? never : N

type Present<T> = { [P in keyof T as undefined extends T[P] ? never : P]: T[P] } & {
  [P in keyof T as undefined extends T[P] ? P : never]?: Exclude<T[P], undefined>
}
/** The fields that are not undefined: plan nodes leave out what was not given. */
export function present<T extends object>(fields: T): Present<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>
}
