/** Helper types that the DSL's signatures share; none of them is exported from the package. */
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
